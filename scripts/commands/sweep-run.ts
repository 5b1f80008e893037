import { join } from 'node:path';
import { loadAccess, type RunAccess } from '../../coordinator/storage/run-access.js';
import { systemClock } from '../../shared/actor/clock.js';
import { randomIdentifier } from '../../shared/actor/rng.js';
import { UserError } from '../../shared/errors.js';
import { sha256Hex } from '../../shared/files/sha256.js';
import { availableCores } from '../../trainer/options/available-cores.js';
import { parseTrainOptions, type TrainOptions } from '../../trainer/options/train-options.js';
import { keptMachineKey } from '../../trainer/own-machine-key.js';
import type { Recipe } from '../../trainer/recipe.js';
import { keptOptions } from '../../trainer/resume.js';
import { type SessionHost, trainSession } from '../../trainer/training-session.js';
import { comparisonPage, writePage, writeRunReport } from '../reports/run/report.js';
import { compareRuns } from '../run-records/comparison.js';
import type { RunRecord } from '../run-records/run-record.js';
import {
  camelCase,
  type Dimension,
  gridTrials,
  randomTrials,
  type TrialOptions,
} from '../sweep/search-space.js';
import { openSweepFolder, optionsText, trialName, trialRun } from '../sweep/sweep-folder.js';
import {
  goalValue,
  type RungTrial,
  ranked,
  rungEpochs,
  type SweepGoal,
  survivors,
  type TrialResult,
} from '../sweep/trials.js';
import { startProgress } from '../terminal/progress.js';
import { textTable } from '../terminal/text-table.js';
import { showWhile } from '../terminal/transient-note.js';
import type { CommandContext } from './command.js';

/** Where sweeps are kept by default. */
const DEFAULT_PARENT = 'sweeps';
/** Runs on the page of a sweep: as many as curves can be told apart. */
const PAGE_RUNS_MAX = 8;

/** What a sweep was asked for. */
interface SweepRequest {
  readonly name: string;
  readonly recipe: Recipe;
  readonly dimensions: readonly Dimension[];
  readonly method: 'grid' | 'random' | 'halving';
  /** Options of train that all trials have. */
  readonly base: Readonly<Record<string, string | boolean>>;
  readonly trials: number;
  readonly seed: number;
  readonly factor: number;
  readonly goal: SweepGoal;
  /** Undefined: one that follows from the rest. */
  readonly sweepDir: string | undefined;
  readonly json: boolean;
}

/** Trains all trials, one after the other, and ranks them. A trial that fails does not end the sweep. */
export async function sweep(request: SweepRequest, context: CommandContext): Promise<void> {
  const { terminal } = context;
  const { name, method, factor, goal } = request;
  const all = trialsOf(request).map((options, index): RungTrial => ({ index, options }));
  const plan = planText(request, all);
  const label = name.replace(/[^A-Za-z0-9._-]+/g, '-').replace(/^[.-]+/, '') || 'sweep';
  const path =
    request.sweepDir ??
    join(DEFAULT_PARENT, `${label}-${sha256Hex(new TextEncoder().encode(plan)).slice(0, 8)}`);
  const isContinued = await openSweepFolder(path, plan);
  terminal.say(
    `${isContinued ? 'continuing' : 'beginning'} the sweep ${path}: ${all.length} trials of ${name}`,
  );
  if (all.length > 1)
    terminal.say(
      'its runs follow one another and have one join line: a worker with --stay works for all of them',
    );
  const results: TrialResult[] = [];
  const rungs = method === 'halving' ? rungEpochs(epochsOf(request), all.length, factor) : [undefined];
  const access: SharedAccess = { known: undefined };
  let trials = all;
  let last: TrialResult[] = [];
  for (const [i, epochs] of rungs.entries()) {
    if (epochs !== undefined)
      terminal.say(`rung ${i + 1} of ${rungs.length}: ${trials.length} trials of ${epochs} epochs`);
    last = [];
    for (const trial of trials) {
      const result = await runTrial({ ...trial, epochs, path }, request, access, context);
      last.push(result);
      results.push(result);
      // An interrupted sweep goes on with the same command.
      if (context.interrupted.aborted) return;
    }
    if (i < rungs.length - 1) trials = survivors(trials, last, goal, factor);
    if (trials.length === 0) break;
  }
  const order = ranked(last, goal);
  const [best] = order.filter((result) => goalValue(result, goal) !== undefined);
  for (const line of resultLines([...order, ...results.filter((result) => !last.includes(result))], goal))
    terminal.say(line);
  const page = await writeSweepPage(path, order);
  if (page !== undefined) terminal.say(`curves   ${page}`);
  if (best?.metrics.validationLoss === undefined && best?.metrics.testLoss !== undefined)
    terminal.say(
      'the best trial was chosen by the test data, so its test metrics are too good: --validation 0.1 avoids that',
    );
  if (request.json) terminal.result({ path, results, best: best ?? null });
  if (best === undefined)
    throw new UserError(
      `no trial has ${goal.metric ?? 'a finite loss'}: ${results[0]?.error ?? 'see the metrics of the trials with --json'}`,
    );
  terminal.say(`best     ${best.name}: ${optionsText(best.options)}, weights ${best.weightsSha256 ?? '-'}`);
}

function trialsOf({ method, dimensions, trials, seed }: SweepRequest): TrialOptions[] {
  return method === 'grid' ? gridTrials(dimensions) : randomTrials(dimensions, trials, seed);
}

/** Epochs of the longest runs of successive halving. */
function epochsOf({ base, recipe }: SweepRequest): number {
  return Math.floor(Number(base.epochs ?? recipe.epochs));
}

/** All that decides what is trained, as text. Workers, ports and backends change no result. */
function planText({ name, method, factor, base, goal }: SweepRequest, all: readonly RungTrial[]): string {
  const free = [
    'workers',
    'threads',
    'backend',
    'listen',
    'tls',
    'tlsCert',
    'tlsKey',
    'publicUrl',
    'joinFile',
    'minWorkers',
  ];
  const others = ['placement', 'audit', 'ban', 'checkpointEvery', 'keepCheckpoints'];
  const kept = Object.entries(base).filter(([option]) => ![...free, ...others].includes(option));
  const halving = method === 'halving' ? { factor, goal } : {};
  return JSON.stringify({
    name,
    method,
    ...halving,
    base: kept.sort(),
    trials: all.map(({ options }) => options),
  });
}

/** What the runs of a sweep have in common for workers: token, port and certificate. */
interface SharedAccess {
  known: RunAccess | undefined;
}

/** Trains one trial, or takes what an earlier session has of it. */
async function runTrial(
  trial: RungTrial & { readonly epochs: number | undefined; readonly path: string },
  request: SweepRequest,
  shared: SharedAccess,
  context: CommandContext,
): Promise<TrialResult> {
  const { terminal } = context;
  const name = trialName(trial.index, trial.epochs);
  const runDir = join(trial.path, name);
  const options =
    trial.epochs === undefined ? trial.options : { ...trial.options, epochs: String(trial.epochs) };
  try {
    const before = await trialRun(runDir);
    if (before !== undefined) shared.known ??= await accessOf(runDir);
    const isDone = before !== undefined && ['finished', 'stopped', 'diverged'].includes(before.state);
    if (before !== undefined && isDone) {
      terminal.say(`${name}: ${optionsText(options)}: ${before.state} before`);
      return resultOf(name, options, before);
    }
    terminal.say(`${name}: ${optionsText(options)}`);
    await train(runDir, options, before !== undefined, request, shared, context);
    const run = await trialRun(runDir);
    if (run === undefined) throw new UserError(`${runDir} has no run`);
    return resultOf(name, options, run);
  } catch (error) {
    if (!(error instanceof UserError)) throw error;
    terminal.say(`${name}: ${error.message}`);
    const run = await trialRun(runDir).catch(() => undefined);
    const state = run?.state === 'diverged' ? 'diverged' : 'failed';
    return { name, options, state, metrics: {}, error: error.message };
  }
}

async function train(
  runDir: string,
  varied: TrialOptions,
  isResumed: boolean,
  { name, recipe, base }: SweepRequest,
  shared: SharedAccess,
  context: CommandContext,
): Promise<void> {
  const { terminal } = context;
  const typed = Object.entries(varied).map(([option, value]) => [camelCase(option), value]);
  const options = {
    ...base,
    ...Object.fromEntries(typed),
    ...(!isResumed && { runDir }),
  } as unknown as TrainOptions;
  const settings = parseTrainOptions(name, recipe, options, availableCores());
  const progress = startProgress(terminal.stderr, systemClock.nowMs);
  const host: SessionHost = {
    progress,
    reading: (work) => showWhile('reading data', terminal.stderr, work),
    get interrupted() {
      return context.interrupted;
    },
    hold: () => context.hold(),
  };
  // Another run under the same token, where its workers look for it.
  const access = shared.known && { ...shared.known, runId: randomIdentifier() };
  const resume = isResumed ? runDir : undefined;
  try {
    await trainSession({ recipe, settings, options: keptOptions(options), resume, access }, host);
  } finally {
    progress.stop();
    shared.known ??= await accessOf(runDir);
  }
  await writeRunReport(runDir);
}

async function accessOf(path: string): Promise<RunAccess | undefined> {
  const access = await loadAccess(path, await keptMachineKey());
  return access === 'foreign' ? undefined : access;
}

function resultOf(name: string, options: TrialOptions, run: RunRecord): TrialResult {
  const { state, course, final, weightsSha256 } = run;
  const loss = course.at(-1)?.means.loss;
  const isOver = state !== 'running' && state !== 'killed';
  return {
    ...{ name, options, state: isOver ? state : 'interrupted', weightsSha256 },
    metrics: { ...(loss !== undefined && { trainLoss: loss }), ...final },
  };
}

function resultLines(results: readonly TrialResult[], goal: SweepGoal): string[] {
  const heading = goal.metric ?? 'loss';
  return textTable<TrialResult>(
    [
      { heading: 'trial', cell: ({ name }) => name },
      { heading: 'options', cell: ({ options }) => optionsText(options) },
      { heading: 'state', cell: ({ state }) => state },
      { heading, cell: (result) => goalValue(result, goal)?.toFixed(4) ?? '-' },
      { heading: 'weights', cell: ({ weightsSha256 }) => weightsSha256?.slice(0, 12) ?? '-' },
    ],
    results,
  );
}

/** The page with the curves of the best trials; undefined when no two can be compared. */
async function writeSweepPage(path: string, order: readonly TrialResult[]): Promise<string | undefined> {
  const runs: RunRecord[] = [];
  for (const { name } of order.slice(0, PAGE_RUNS_MAX)) {
    const run = await trialRun(join(path, name)).catch(() => undefined);
    if (run !== undefined) runs.push(run);
  }
  if (runs.length < 2) return undefined;
  const page = join(path, 'sweep.html');
  await writePage(page, comparisonPage(compareRuns(runs)));
  return page;
}
