import { fileURLToPath } from 'node:url';
import type { Recipe, RecipeData } from '../../coordinator/recipe.js';
import type { Clock } from '../../shared/actor/clock.js';
import { weightsSha256 } from '../../shared/files/tensors.js';
import type { Backend } from '../../shared/kernels/kernels.js';
import { constant } from '../../shared/optim/schedule.js';
import { LocalRun } from '../training/local-run.js';
import { LoopbackWorkers } from './loopback-workers.js';
import { RunSpan } from './run-span.js';
import { localSplit, remoteSplit, type ScalingPoint, type TimeSplit } from './scaling-points.js';
import { StepRig } from './step-rig.js';
import { ThreadTimesWatch } from './thread-times.js';

/** What all points of a benchmark have in common. */
export interface ScalingTask {
  readonly recipe: Recipe;
  readonly data: RecipeData;
  readonly backend: 'auto' | Backend;
}

/** What one run came to. */
export interface ScalingRun {
  /** Such as "native (avx512)". */
  readonly backend: string;
  readonly usPerStep: number;
  readonly weightsSha256: string;
  /** Of runs over processes: where the time goes, and weights and partial sums that were sent. */
  readonly split?: TimeSplit;
  readonly payloadBytesPerStep: number;
}

/** Seed of all runs: that of StepRig, whose weights must be the same. */
const SEED = 1;

const timedThread = (): string => fileURLToPath(new URL('./timed-thread.js', import.meta.url));

/** Trains at one point with the whole program: a coordinator and its workers. */
export async function runPoint(
  task: ScalingTask,
  point: ScalingPoint,
  steps: number,
  clock: Clock,
): Promise<ScalingRun> {
  const { recipe, data, backend } = task;
  const { spread, units, batch } = point;
  const isRemote = spread === 'remote';
  const span = new RunSpan(clock);
  const request = {
    ...{ recipe, data, batch, leaf: Math.min(recipe.leaf, batch), steps, seed: SEED, backend },
    optimizer: recipe.optimizer,
    learningRate: recipe.optimizer.learningRate,
    schedule: constant(),
    workers: isRemote ? 0 : spread === 'workers' ? units : 1,
    threads: spread === 'threads' ? units : 1,
    minWorkers: isRemote ? units : 1,
    audit: 0,
    // Threads of a coordinator without local workers only finish steps: timing them costs a round nothing.
    ...(isRemote ? { threadEntry: timedThread() } : {}),
  };
  const times = isRemote ? new ThreadTimesWatch() : undefined;
  const run = await LocalRun.prepare(request, span, clock);
  let workers: LoopbackWorkers | undefined;
  try {
    if (isRemote) workers = new LoopbackWorkers(await joinUrlOf(run), units, 1, backend);
    else run.begin(clock);
    // A worker that fails before the run has ended would leave the coordinator waiting for another one.
    const ended = run.coordinator.ended;
    await (workers === undefined ? ended : Promise.race([ended, workers.reports.then(() => ended)]));
    const outcome = {
      backend: run.backend,
      usPerStep: span.usPerStep(),
      weightsSha256: weightsSha256(run.parameters()),
      payloadBytesPerStep: 0,
    };
    await run.close('measured');
    const reports = await workers?.reports;
    const finish = times?.split();
    if (reports === undefined) return outcome;
    const payloadBytes = reports.reduce((sum, report) => sum + report.payloadBytes, 0);
    return {
      ...outcome,
      payloadBytesPerStep: payloadBytes / steps,
      ...(finish === undefined ? {} : { split: remoteSplit(outcome.usPerStep, reports, finish) }),
    };
  } finally {
    times?.close();
    workers?.kill();
    await run.close('the benchmark failed');
  }
}

/**
 * Takes a local point's steps once more on threads that tell what they spend their time on, without a coordinator.
 * @returns where the time goes, and the weights, which must be those of the run
 */
export async function splitLocalPoint(
  { recipe, data, backend }: ScalingTask,
  { units, batch }: ScalingPoint,
  steps: number,
  clock: Clock,
): Promise<{ split: TimeSplit | undefined; weightsSha256: string }> {
  const times = new ThreadTimesWatch();
  const leaf = Math.min(recipe.leaf, batch);
  const request = { recipe, data, batch, leaf, threads: units, backend, threadEntry: timedThread() };
  const rig = await StepRig.open(request, clock);
  try {
    await rig.advance(steps);
    const parts = times.split();
    return { split: parts && localSplit(parts), weightsSha256: rig.weightsSha256() };
  } finally {
    times.close();
    await rig.close();
  }
}

function joinUrlOf(run: LocalRun): Promise<string> {
  return run.coordinator.listen({ host: '127.0.0.1', port: 0 });
}
