import type { Clock } from '../../shared/actor/clock.js';
import { measured } from './median.js';
import type { PeerProcess } from './peer-process.js';
import { baseOf, type ScalingMode, type ScalingPoint, speedUp, type TimeSplit } from './scaling-points.js';
import { runPoint, type ScalingRun, type ScalingTask, splitLocalPoint } from './scaling-run.js';
import { checkHashes } from './step-bench.js';

/** How long the steps of one run should take, and bounds of their number. */
const RUN_MS = 600;
const STEPS_MIN = 40;
const STEPS_MAX = 20_000;
/** Steps of the run that finds out how long a step takes. */
const TRIAL_STEPS = 40;
const TRIAL_STEPS_MAX = 2000;

/** One point of a curve, measured. */
export interface ScalingResult {
  readonly workload: string;
  readonly mode: ScalingMode;
  /** See Spread; 'ddp' is PyTorch's DistributedDataParallel over gloo. */
  readonly spread: ScalingPoint['spread'] | 'ddp';
  /** Workers, threads or processes: what the curve is over. */
  readonly workers: number;
  /** More units than processors: what is measured is how well they share. */
  readonly oversubscribed: boolean;
  readonly batch: number;
  readonly backend: string;
  readonly steps?: number;
  /** Median of the runs. */
  readonly usPerStep: number;
  readonly fastestUsPerStep: number;
  /** Against one unit of the same spread. */
  readonly speedUp?: number;
  /** Speed-up over units: 1 is perfect. */
  readonly efficiency?: number;
  /** Microseconds. */
  readonly split?: TimeSplit;
  /** Weights and partial sums between processes. */
  readonly payloadBytesPerStep?: number;
  readonly weightsSha256?: string;
}

/** A benchmark's settings. */
export interface ScalingRequest {
  readonly workload: string;
  readonly task: ScalingTask;
  readonly points: readonly ScalingPoint[];
  readonly repeats: number;
  readonly cores: number;
  /** PyTorch's processes for a global batch, by their number; in turn with our runs. */
  readonly peers: ReadonlyMap<number, PeerProcess>;
  readonly interrupted: AbortSignal;
  readonly say: (line: string) => void;
}

/** A point's runs. */
interface Measurement {
  readonly point: ScalingPoint;
  readonly steps: number;
  readonly runs: ScalingRun[];
}

/**
 * Measures all points, several times in turn.
 * @throws UserError when two runs of the same global batch do not end with the same weights
 */
export async function benchScaling(request: ScalingRequest, clock: Clock): Promise<ScalingResult[]> {
  const { points, task, repeats, peers, interrupted, say } = request;
  const stepsByBatch = new Map<number, number>();
  const hashes = new Map<number, [name: string, hash: string][]>();
  for (const batch of new Set(points.map(({ batch }) => batch))) {
    const { steps, hash } = await findSteps(task, batch, clock);
    stepsByBatch.set(batch, steps);
    hashes.set(batch, [['one worker', hash]]);
  }
  const measurements = points.map(
    (point): Measurement => ({ point, steps: stepsByBatch.get(point.batch) as number, runs: [] }),
  );
  const peerTimes = new Map([...peers.keys()].map((world): [number, number[]] => [world, []]));
  for (let round = 0; round < repeats; round++) {
    say(`round ${round + 1} of ${repeats}: ${points.length} points ...`);
    for (const { point, steps, runs } of measurements) {
      if (interrupted.aborted) return [];
      const run = await runPoint(task, point, steps, clock);
      runs.push(run);
      hashes.get(point.batch)?.push([describePoint(point), run.weightsSha256]);
    }
    for (const [world, peer] of peers) {
      const { usPerStep } = await peer.ask<{ usPerStep: number }>({ seconds: RUN_MS / 1000 });
      peerTimes.get(world)?.push(usPerStep);
    }
  }
  const splits = new Map<ScalingPoint, TimeSplit>();
  for (const { point, steps, runs } of measurements) {
    const byTime = [...runs].sort((a, b) => a.usPerStep - b.usPerStep);
    const remote = byTime[Math.floor((byTime.length - 1) / 2)]?.split;
    if (remote !== undefined) splits.set(point, remote);
    if (point.spread === 'remote' || interrupted.aborted) continue;
    const { split, weightsSha256 } = await splitLocalPoint(task, point, steps, clock);
    hashes.get(point.batch)?.push([`${describePoint(point)}, timed`, weightsSha256]);
    if (split !== undefined) splits.set(point, split);
  }
  for (const [batch, ends] of hashes) checkHashes(`${request.workload}, global batch ${batch}`, ends);
  const own = measurements.map((measurement) => result(request, measurement, measurements, splits));
  return [...own, ...peerResults(request, peerTimes)];
}

/** How many steps of a global batch make a run long enough; and the weights that every run of them must end with. */
async function findSteps(
  task: ScalingTask,
  batch: number,
  clock: Clock,
): Promise<{ steps: number; hash: string }> {
  const one: ScalingPoint = { mode: 'strong', spread: 'workers', units: 1, batch };
  const rough = await runPoint(task, one, TRIAL_STEPS, clock);
  const trial = Math.min(
    Math.max(TRIAL_STEPS, Math.round((RUN_MS * 250) / rough.usPerStep)),
    TRIAL_STEPS_MAX,
  );
  const { usPerStep } = await runPoint(task, one, trial, clock);
  const steps = Math.min(Math.max(STEPS_MIN, Math.round((RUN_MS * 1000) / usPerStep)), STEPS_MAX);
  const { weightsSha256 } = await runPoint(task, one, steps, clock);
  return { steps, hash: weightsSha256 };
}

function result(
  { workload, cores }: ScalingRequest,
  { point, steps, runs }: Measurement,
  all: readonly Measurement[],
  splits: ReadonlyMap<ScalingPoint, TimeSplit>,
): ScalingResult {
  const time = ({ runs }: Measurement): number => measured(runs.map(({ usPerStep }) => usPerStep)).median;
  const { median, fastest } = measured(runs.map(({ usPerStep }) => usPerStep));
  const points = all.map((measurement) => measurement.point);
  const base = all.find((other) => other.point === baseOf(point, points));
  const gain = base && speedUp(point, median, time(base));
  const split = splits.get(point);
  return {
    ...{ workload, mode: point.mode, spread: point.spread, workers: point.units, batch: point.batch },
    ...{ oversubscribed: point.units > cores, backend: runs[0]?.backend ?? '', steps },
    ...{ usPerStep: median, fastestUsPerStep: fastest },
    ...(gain === undefined ? {} : { speedUp: gain, efficiency: gain / point.units }),
    ...(split === undefined ? {} : { split }),
    payloadBytesPerStep: runs[0]?.payloadBytesPerStep ?? 0,
    weightsSha256: runs[0]?.weightsSha256 ?? '',
  };
}

function peerResults(
  { workload, points, cores }: ScalingRequest,
  times: ReadonlyMap<number, readonly number[]>,
): ScalingResult[] {
  const batch = points.find(({ mode }) => mode === 'strong')?.batch ?? 0;
  const one = times.get(1);
  return [...times].map(([world, us]) => {
    const { median, fastest } = measured(us);
    const gain = one && measured(one).median / median;
    return {
      ...{ workload, mode: 'strong' as const, spread: 'ddp' as const, workers: world, batch },
      ...{ oversubscribed: world > cores, backend: 'pytorch', usPerStep: median, fastestUsPerStep: fastest },
      ...(gain === undefined ? {} : { speedUp: gain, efficiency: gain / world }),
    };
  });
}

function describePoint({ mode, spread, units }: ScalingPoint): string {
  return `${mode} scaling, ${spread} ${units}`;
}
