import { basename, join } from 'node:path';
import { Lease } from '../../coordinator/storage/lease.js';
import { readChain } from '../../coordinator/storage/metrics-chain.js';
import { type RunConfig, readRunConfig } from '../../coordinator/storage/run-config.js';
import { METRICS_FILE } from '../../coordinator/storage/run-directory.js';
import { UserError } from '../../shared/errors.js';
import type { Leg } from '../../trainer/replay/recorded-run.js';
import { RecordedRun } from '../../trainer/replay/recorded-run.js';

/** Most events that are kept of a run: where members come and go without end, the first ones say enough. */
const EVENTS_MAX = 2000;

/**
 * How a run stands: `running` while a process writes to it, `killed` when its last session did not come to an end, otherwise
 * how that ended.
 */
export type RunState = 'running' | 'killed' | 'finished' | 'stopped' | 'interrupted' | 'diverged';

/** Numbers by their names; what is not finite is NaN or an infinity. */
export type Values = Readonly<Record<string, number>>;

/** A step of a run. */
export interface RecordedStep {
  /** From 1. */
  readonly step: number;
  /** Means over the batch, such as loss and accuracy. */
  readonly means: Values;
  /** Members that took part. */
  readonly workers: number;
}

/** Something that happened after so many steps. */
export interface RecordedEvent {
  readonly step: number;
  /** The word of metrics.jsonl, such as "expelled". */
  readonly event: string;
  readonly details: Readonly<Record<string, unknown>>;
}

/** What the files of a run say of it. What was taken back is left out. */
export interface RunRecord {
  readonly path: string;
  /** The last part of its path. */
  readonly name: string;
  readonly config: RunConfig;
  readonly state: RunState;
  /** Parts of the run under the same settings; the last one has the present settings. */
  readonly legs: readonly Leg[];
  /** Steps done. */
  readonly steps: number;
  /** Without those of a record that was lost. */
  readonly course: readonly RecordedStep[];
  /** By steps done before, ascending. */
  readonly evaluations: readonly { readonly step: number; readonly metrics: Values }[];
  /** The evaluation with the lowest loss, the first of them. */
  readonly best: { readonly step: number; readonly metrics: Values } | undefined;
  /** Of the weights that the run ended with: the evaluation of their step, and what was measured at the end. */
  readonly final: Values;
  /** Hash of the weights after some steps, ascending. */
  readonly hashes: readonly { readonly step: number; readonly weightsSha256: string }[];
  /** Hash of weights.safetensors; undefined until the run has ended. */
  readonly weightsSha256: string | undefined;
  readonly events: readonly RecordedEvent[];
  /** Steps that were recorded and then taken back. */
  readonly takenBack: number;
  /** What is wrong with the files, one line each. */
  readonly notes: readonly string[];
}

/**
 * Reads what the files of a run say of it.
 * @param path its directory
 * @throws UserError when there is no run, or its record contradicts itself
 */
export async function readRun(path: string): Promise<RunRecord> {
  const config = await readRunConfig(path);
  const isRunning = Lease.isHeld(path);
  const recorded = new RecordedRun();
  const workers: number[] = [];
  const events: RecordedEvent[] = [];
  let eventsLeft = 0;
  const { fault } = await readChain(join(path, METRICS_FILE), (record, line) => {
    recorded.take(record, line);
    const { event, step, ...details } = record;
    if (event === undefined) {
      if ('epoch' in record) workers[step as number] = record.workers as number;
    } else if (isTold(event as string)) {
      if (events.length < EVENTS_MAX) events.push({ step: step as number, event: event as string, details });
      else eventsLeft += 1;
    }
  });
  if (recorded.legs.length === 0)
    throw new UserError(`${path} has no record: the first line of ${METRICS_FILE} is missing or damaged`);
  const evaluations = [...recorded.evaluations]
    .map(([step, { value }]) => ({ step, metrics: numbersOf(value) }))
    .sort((a, b) => a.step - b.step);
  const { end, lastStep } = recorded;
  const at = end?.restored ?? lastStep;
  const notes = [
    ...(fault === undefined || (fault.isTorn && isRunning)
      ? []
      : [`line ${fault.line} of ${METRICS_FILE} and what follows it are left out: ${fault.what}`]),
    ...(eventsLeft > 0 ? [`${eventsLeft} more events are left out`] : []),
  ];
  return {
    ...{
      path,
      name: basename(path),
      config,
      legs: recorded.legs,
      steps: lastStep,
      evaluations,
      events,
      notes,
    },
    state: isRunning ? 'running' : (end?.reason ?? 'killed'),
    course: recorded.steps.flatMap((entry, step) =>
      entry === undefined ? [] : [{ step, means: numbersOf(entry.value.means), workers: workers[step] ?? 0 }],
    ),
    best: bestOf(evaluations),
    final: {
      ...evaluations.findLast(({ step }) => step <= at)?.metrics,
      ...numbersOf(end?.measured ?? {}),
    },
    hashes: hashesOf(recorded),
    weightsSha256: end?.weightsSha256 ?? undefined,
    takenBack: recorded.takenBack,
  };
}

/** The loss among the metrics of an evaluation. */
export function evaluatedLoss(metrics: Values): number | undefined {
  return metrics.validationLoss ?? metrics.testLoss;
}

/** Steps that a run was asked for. */
export function stepsAsked({ legs }: Pick<RunRecord, 'legs'>): number {
  return Number(legs.at(-1)?.settings.steps ?? 0);
}

/** The run's own steps and hashes are shown elsewhere; what a member was told concerns that member alone. */
function isTold(event: string): boolean {
  return !['checkpoint', 'measured', 'ended', 'begun', 'member-placement'].includes(event);
}

function bestOf(evaluations: RunRecord['evaluations']): RunRecord['best'] {
  let best: RunRecord['best'];
  for (const evaluation of evaluations) {
    const loss = evaluatedLoss(evaluation.metrics);
    const least = best && evaluatedLoss(best.metrics);
    if (loss !== undefined && Number.isFinite(loss) && (least === undefined || loss < least))
      best = evaluation;
  }
  return best;
}

function hashesOf({ saved, claims }: RecordedRun): RunRecord['hashes'] {
  const byStep = new Map<number, string>();
  // Several sessions may have saved a step: the latest belongs to the run.
  for (const [step, states] of saved) {
    const last = states.at(-1);
    if (last !== undefined) byStep.set(step, last.value.weightsSha256);
  }
  for (const { step, weightsSha256 } of claims) byStep.set(step, weightsSha256);
  return [...byStep]
    .map(([step, weightsSha256]) => ({ step, weightsSha256 }))
    .sort((a, b) => a.step - b.step);
}

function numbersOf(values: Readonly<Record<string, number | string>>): Values {
  return Object.fromEntries(Object.entries(values).map(([name, value]) => [name, Number(value)]));
}
