import { fileURLToPath } from 'node:url';
import type { Observer } from '../../coordinator/state/observer.js';
import type { Clock } from '../../shared/actor/clock.js';
import { stepsPerEpoch } from '../../shared/data/order.js';
import { weightsSha256 } from '../../shared/files/tensors.js';
import type { Backend } from '../../shared/kernels/kernels.js';
import { constant } from '../../shared/optim/schedule.js';
import { innerSteps, runSteps } from '../../trainer/local-run.js';
import type { Recipe, RecipeData } from '../../trainer/recipe.js';
import { Trainer } from '../../trainer/trainer.js';
import { PLAIN } from './exchange.js';
import { LoopbackWorkers } from './loopback-workers.js';
import { RunSpan } from './run-span.js';
import {
  localSplit,
  remoteSplit,
  type ScalingPoint,
  type TimeSplit,
  type WorkerReport,
} from './scaling-points.js';
import { StepRig } from './step-rig.js';
import { type Target, type TargetRun, TargetWatch } from './target-watch.js';
import { type StepSplit, ThreadTimesRecorder } from './thread-times.js';

/** What all points of a benchmark share. */
export interface ScalingTask {
  readonly recipe: Recipe;
  readonly data: RecipeData;
  readonly backend: 'auto' | Backend;
  /** Shape of the network to worker processes; undefined: loopback as it is. */
  readonly net?: string | undefined;
}

/** The result of one run. */
export interface ScalingRun {
  /** Such as "native (avx512)". */
  readonly backend: string;
  readonly usPerStep: number;
  readonly weightsSha256: string;
  /** Where the time goes, for runs over processes. */
  readonly split?: TimeSplit;
  /** Weights and partial sums; 0 for local runs. */
  readonly payloadBytesPerStep: number;
}

/** Seed of all runs: the same as StepRig's, because the weights must be equal. */
const SEED = 1;

const timedThread = (): string => fileURLToPath(new URL('./timed-thread.js', import.meta.url));

/** Evaluations in an epoch of a run to a target: when it was reached is known to this part of an epoch. */
const EVALUATIONS_PER_EPOCH = 8;

/**
 * Trains at one point with the whole program: coordinator and workers.
 * @param steps optimizer steps
 * @param overlaps whether worker processes exchange vectors while they compute, as they do outside of benchmarks
 */
export async function runPoint(
  task: ScalingTask,
  point: ScalingPoint,
  steps: number,
  clock: Clock,
  overlaps = true,
): Promise<ScalingRun> {
  const span = new RunSpan(clock);
  const { exchange } = point;
  const length = { steps: runSteps(exchange.sync, steps), overlaps };
  const { backend, weights, reports, finish } = await train(task, point, length, span, clock);
  const usPerStep = span.usPerStep() / innerSteps(exchange.sync);
  const payloadBytes = reports.reduce((sum, report) => sum + report.payloadBytes, 0);
  return {
    ...{ backend, usPerStep, weightsSha256: weights, payloadBytesPerStep: payloadBytes / steps },
    // What workers measure are single steps.
    ...(finish !== undefined && exchange === PLAIN && { split: remoteSplit(usPerStep, reports, finish) }),
  };
}

/**
 * Trains at one point until a target is reached.
 * @throws UserError when it is not reached within the recipe's own epochs or steps, or there is no such metric
 */
export async function runToTarget(
  task: ScalingTask,
  point: ScalingPoint,
  target: Target,
  clock: Clock,
): Promise<TargetRun> {
  const { recipe, data } = task;
  const { sync } = point.exchange;
  const perEpoch = stepsPerEpoch(data.train.manifest.samples, point.batch);
  const steps = runSteps(sync, recipe.steps ?? recipe.epochs * perEpoch);
  const evaluateEvery = Math.max(1, Math.round(runSteps(sync, perEpoch) / EVALUATIONS_PER_EPOCH));
  const watch = new TargetWatch(target, clock);
  const { weights } = await train(task, point, { steps, evaluateEvery }, watch, clock, (run) => {
    watch.onDecided = () => run.coordinator.interrupt();
  });
  const { seconds, steps: exchanges } = watch.result();
  return { seconds, steps: exchanges * innerSteps(point.exchange.sync), weightsSha256: weights };
}

/** How a point is trained. */
interface TrainLength {
  readonly steps: number;
  readonly evaluateEvery?: number;
  /** Whether worker processes exchange vectors while they compute; left out: they do. */
  readonly overlaps?: boolean;
}

/** What comes of a run at a point. */
interface Trained {
  readonly backend: string;
  /** Hash. */
  readonly weights: string;
  /** Of worker processes. */
  readonly reports: readonly WorkerReport[];
  /** Times of the coordinator's threads, where it has no local workers. */
  readonly finish: StepSplit | undefined;
}

async function train(
  { recipe, data, backend, net }: ScalingTask,
  { spread, units, batch, exchange }: ScalingPoint,
  { overlaps = true, ...length }: TrainLength,
  observer: Observer,
  clock: Clock,
  onPrepared: (run: Trainer) => void = () => {},
): Promise<Trained> {
  const isRemote = spread === 'remote';
  const processes = isRemote ? units : spread === 'joined' ? units - 1 : 0;
  const request = {
    ...{ recipe, data, batch, leafSize: Math.min(recipe.leafSize, batch), ...length, seed: SEED, backend },
    sync: exchange.sync,
    ...(exchange.compress !== 'none' && { compress: exchange.compress }),
    optimizer: recipe.optimizer,
    learningRate: recipe.optimizer.learningRate,
    schedule: constant(),
    workers: isRemote ? 0 : spread === 'workers' ? units : 1,
    threads: spread === 'threads' ? units : 1,
    minWorkers: processes > 0 ? units : 1,
    audit: 0,
    // Threads of a coordinator without local workers only finish steps: timing them does not slow a step.
    ...(isRemote ? { threadEntry: timedThread() } : {}),
  };
  const times = isRemote ? new ThreadTimesRecorder() : undefined;
  const run = await Trainer.prepare(request, observer, clock);
  onPrepared(run);
  let workers: LoopbackWorkers | undefined;
  try {
    if (processes > 0)
      workers = new LoopbackWorkers(await joinUrlOf(run), processes, { backend, net, overlaps });
    if (!isRemote) run.start();
    // When a worker fails before the run has ended, the coordinator would wait for another one for ever.
    const ended = run.coordinator.ended;
    await (workers === undefined ? ended : Promise.race([ended, workers.reports.then(() => ended)]));
    const weights = weightsSha256(run.parameters());
    await run.close('measured');
    const reports = (await workers?.reports) ?? [];
    return { backend: run.backend, weights, reports, finish: times?.split() };
  } finally {
    times?.close();
    workers?.kill();
    await run.close('the benchmark failed');
  }
}

/**
 * Repeats a local point's steps on threads that time their work, without a coordinator.
 * @returns where the time goes, and the weights hash, which must equal that of the run
 */
export async function splitLocalPoint(
  { recipe, data, backend }: ScalingTask,
  { units, batch }: ScalingPoint,
  steps: number,
  clock: Clock,
): Promise<{ split: TimeSplit | undefined; weightsSha256: string }> {
  const times = new ThreadTimesRecorder();
  const leafSize = Math.min(recipe.leafSize, batch);
  const request = { recipe, data, batch, leafSize, threads: units, backend, threadEntry: timedThread() };
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

function joinUrlOf(run: Trainer): Promise<string> {
  return run.coordinator.listen({ host: '127.0.0.1', port: 0 });
}
