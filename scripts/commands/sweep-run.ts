import { join } from 'node:path';
import { Lease } from '../../coordinator/storage/lease.js';
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
import { writeRunReport } from '../reports/run/report.js';
import type { RunRecord } from '../run-records/run-record.js';
import {
  camelCase,
  type Dimension,
  gridTrials,
  randomTrials,
  type TrialOptions,
} from '../sweep/search-space.js';
import { openSweepFolder, optionsText, trialName, trialRun } from '../sweep/sweep-folder.js';
import { type RungTrial, rungEpochs, type SweepGoal, survivors, type TrialResult } from '../sweep/trials.js';
import { startProgress } from '../terminal/progress.js';
import { showWhile } from '../terminal/transient-note.js';
import type { CommandContext } from './command.js';
import { tellResults } from './sweep-results.js';

/** Where sweeps are kept by default. */
const DEFAULT_PARENT = 'sweeps';

/** What a sweep was asked for. */
export interface SweepRequest {
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
  /** The number of the trial that this process trains, from 1; undefined: it trains all. */
  readonly only: number | undefined;
  readonly json: boolean;
}

/** The trials of a sweep, and the directory of their runs. */
export interface SweepPlan {
  readonly path: string;
  readonly trials: readonly RungTrial[];
  /** All that decides what is trained. */
  readonly text: string;
}

/** What a sweep comes to. Nothing is written. @throws UserError when there are too many trials */
export function planSweep(request: SweepRequest): SweepPlan {
  const trials = trialsOf(request).map((options, index): RungTrial => ({ index, options }));
  const text = planText(request, trials);
  const label = request.name.replace(/[^A-Za-z0-9._-]+/g, '-').replace(/^[.-]+/, '') || 'sweep';
  const hash = sha256Hex(new TextEncoder().encode(text)).slice(0, 8);
  return { path: request.sweepDir ?? join(DEFAULT_PARENT, `${label}-${hash}`), trials, text };
}

/** Trains all trials, one after the other, or one of them, and ranks them. A trial that fails does not end the sweep. */
export async function sweep(request: SweepRequest, context: CommandContext): Promise<void> {
  const plan = planSweep(request);
  const isContinued = await openSweepFolder(plan.path, plan.text);
  if (request.only === undefined) await sweepAll(plan, isContinued, request, context);
  else await sweepOne(plan, request, request.only, context);
}

/** Trains one trial. The process that ends the last one ranks all; two that end at once write the same ranking, one after the other. */
async function sweepOne(
  { path, trials }: SweepPlan,
  request: SweepRequest,
  number: number,
  context: CommandContext,
): Promise<void> {
  const own = trials[number - 1];
  if (own === undefined) throw new UserError(`the sweep has ${trials.length} trials, not ${number}`, 2);
  const result = await runTrial({ ...own, epochs: undefined, path }, request, { known: undefined }, context);
  if (context.interrupted.aborted) return;
  // Those of two nodes that end at once do not write the page at once.
  const lease = await Lease.takeWhenFree(path, systemClock, () => undefined);
  try {
    const results = await Promise.all(
      trials.map((trial) => (trial === own ? result : trialSoFar(trial, path, request))),
    );
    const isOver = (one: TrialResult | undefined): one is TrialResult =>
      one !== undefined && one.state !== 'interrupted';
    if (results.every(isOver))
      return await tellResults({ path, last: results, others: [] }, request, context);
  } finally {
    lease.release();
  }
  context.terminal.say(
    `${result.name} is ${result.state}; the process that ends the last trial ranks all, and so does sweep without --trial`,
  );
  if (request.json) context.terminal.result({ path, results: [result], best: null });
  if (result.error !== undefined) throw new UserError(result.error);
}

/** What another process has made of a trial; undefined: nothing yet. */
async function trialSoFar(
  { index, options }: RungTrial,
  path: string,
  request: SweepRequest,
): Promise<TrialResult | undefined> {
  const name = trialName(index, undefined);
  // A run that is being created cannot be read.
  const run = await trialRun(join(path, name)).catch(() => undefined);
  if (run !== undefined) return resultOf(name, options, run);
  try {
    settingsOf(request, options);
    return undefined;
  } catch (error) {
    if (!(error instanceof UserError)) throw error;
    return { name, options, state: 'failed', metrics: {}, error: error.message };
  }
}

async function sweepAll(
  { path, trials: all }: SweepPlan,
  isContinued: boolean,
  request: SweepRequest,
  context: CommandContext,
): Promise<void> {
  const { terminal } = context;
  const { name, method, factor, goal } = request;
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
  const others = results.filter((result) => !last.includes(result));
  await tellResults({ path, last, others }, request, context);
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
    'trustProxy',
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
  request: SweepRequest,
  shared: SharedAccess,
  context: CommandContext,
): Promise<void> {
  const { terminal } = context;
  const { options, settings } = settingsOf(request, varied, isResumed ? undefined : runDir);
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
    await trainSession(
      { recipe: request.recipe, settings, options: keptOptions(options), resume, access },
      host,
    );
  } finally {
    progress.stop();
    shared.known ??= await accessOf(runDir);
  }
  await writeRunReport(runDir);
}

/** What a trial is trained with. @throws UserError when its options are wrong */
function settingsOf({ name, recipe, base }: SweepRequest, varied: TrialOptions, runDir?: string) {
  const typed = Object.entries(varied).map(([option, value]) => [camelCase(option), value]);
  const given = { ...base, ...Object.fromEntries(typed), ...(runDir !== undefined && { runDir }) };
  const options = given as unknown as TrainOptions;
  return { options, settings: parseTrainOptions(name, recipe, options, availableCores()) };
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
