import type { Clock } from '../../shared/actor/clock.js';
import { innerSteps } from '../../trainer/local-run.js';
import { PLAIN } from './exchange.js';
import type { PeerProcess } from './peer-process.js';
import {
  baseOf,
  hasProcesses,
  type ScalingMode,
  type ScalingPoint,
  speedUp,
  type TimeSplit,
} from './scaling-points.js';
import { runPoint, runToTarget, type ScalingRun, type ScalingTask, splitLocalPoint } from './scaling-run.js';
import { checkHashes } from './step-bench.js';
import type { Target, TargetRun } from './target-watch.js';
import { timeStats } from './time-stats.js';

/** Time that the steps of one run should take, and bounds of their number. */
const RUN_MS = 600;
/** The same for runs that others join: local threads alone are measured first, then helpers are tried. */
const JOINED_RUN_MS = 5000;
const STEPS_MIN = 40;
const STEPS_MAX = 20_000;
/** Steps of the runs that estimate the time of a step. */
const ESTIMATE_STEPS = 40;
const ESTIMATE_STEPS_MAX = 2000;

/** One measured point of a curve. */
export interface ScalingResult {
  readonly workload: string;
  readonly mode: ScalingMode;
  /** See Spread; 'ddp' is PyTorch's DistributedDataParallel over gloo. */
  readonly spread: ScalingPoint['spread'] | 'ddp';
  /** What the machines exchange, as on the command line. */
  readonly exchange: string;
  /** Number of workers, threads or processes: the curve's x axis. */
  readonly workers: number;
  /** More units than processors: they share processors. */
  readonly oversubscribed: boolean;
  readonly batch: number;
  readonly backend: string;
  readonly steps?: number;
  /** Median of the runs. */
  readonly usPerStep: number;
  readonly fastestUsPerStep: number;
  readonly slowestUsPerStep: number;
  /** Of the runs: the slowest minus the fastest, divided by the median. Differences below are noise. */
  readonly noise: number;
  /** Compared with one unit of the same spread. */
  readonly speedUp?: number;
  /** Speed-up divided by units: 1 is ideal. */
  readonly efficiency?: number;
  /** Microseconds. */
  readonly split?: TimeSplit;
  /** Bytes of weights and partial sums between processes. */
  readonly payloadBytesPerStep?: number;
  /** Time until the target metric was reached, the start of worker processes included, evaluations not; median. */
  readonly secondsToTarget?: number;
  readonly stepsToTarget?: number;
  readonly weightsSha256?: string;
}

/** A benchmark's settings. */
export interface ScalingRequest {
  readonly workload: string;
  readonly task: ScalingTask;
  readonly points: readonly ScalingPoint[];
  readonly repeats: number;
  /** The metric to reach; undefined: only the time per step is measured. */
  readonly target?: Target | undefined;
  readonly cores: number;
  /** PyTorch's processes for a global batch, by their number; they alternate with our runs. */
  readonly peers: ReadonlyMap<number, PeerProcess>;
  readonly interrupted: AbortSignal;
  readonly say: (line: string) => void;
}

/** A point and its runs. */
interface Measurement {
  readonly point: ScalingPoint;
  readonly steps: number;
  readonly runs: ScalingRun[];
  /** Runs of processes that do not compute while they exchange. */
  readonly serial: ScalingRun[];
  readonly targets: TargetRun[];
}

/**
 * Measures all points, several times each, in turn.
 * @throws UserError when two runs of the same global batch end with different weights
 */
export async function benchScaling(request: ScalingRequest, clock: Clock): Promise<ScalingResult[]> {
  const { points, task, repeats, target, peers, interrupted, say } = request;
  const stepsByRun = new Map<string, number>();
  const hashes = new Map<string, [name: string, hash: string][]>();
  for (const point of points) {
    const run = runOf(point);
    if (stepsByRun.has(run)) continue;
    const { steps, hash } = await findSteps(task, point, clock);
    stepsByRun.set(run, steps);
    hashes.set(run, [['one worker', hash]]);
  }
  const measurements = points.map(
    (point): Measurement => ({
      ...{ point, steps: stepsByRun.get(runOf(point)) as number },
      ...{ runs: [], serial: [], targets: [] },
    }),
  );
  const peerTimes = new Map([...peers.keys()].map((world): [number, number[]] => [world, []]));
  for (let repeat = 0; repeat < repeats; repeat++) {
    say(`repeat ${repeat + 1} of ${repeats}: ${points.length} points ...`);
    for (const { point, steps, runs, serial, targets } of measurements) {
      // What an exchange that does not overlap with computing would take is asked of single steps.
      const isSplit = point.spread === 'remote' && point.exchange === PLAIN;
      for (const overlaps of isSplit ? [true, false] : [true]) {
        if (interrupted.aborted) return [];
        const run = await runPoint(task, point, steps, clock, overlaps);
        (overlaps ? runs : serial).push(run);
        hashes.get(runOf(point))?.push([describePoint(point), run.weightsSha256]);
      }
      if (target === undefined || point.mode === 'weak') continue;
      const reached = await runToTarget(task, point, target, clock);
      targets.push(reached);
      const key = `batch ${point.batch}, ${point.exchange.name}, to the target`;
      hashes.set(key, [...(hashes.get(key) ?? []), [describePoint(point), reached.weightsSha256]]);
    }
    for (const [world, peer] of peers) {
      const { usPerStep } = await peer.ask<{ usPerStep: number }>({ seconds: RUN_MS / 1000 });
      peerTimes.get(world)?.push(usPerStep);
    }
  }
  const splits = new Map<ScalingPoint, TimeSplit>();
  for (const { point, steps, runs, serial } of measurements) {
    const [remote, bare] = [medianSplit(runs), medianSplit(serial)];
    if (remote !== undefined && bare !== undefined)
      splits.set(point, { ...remote, hidden: Math.max(0, bare.wire - remote.wire) });
    if (hasProcesses(point) || point.exchange !== PLAIN || interrupted.aborted) continue;
    const { split, weightsSha256 } = await splitLocalPoint(task, point, steps, clock);
    hashes.get(runOf(point))?.push([`${describePoint(point)}, timed`, weightsSha256]);
    if (split !== undefined) splits.set(point, split);
  }
  for (const [run, ends] of hashes) checkHashes(`${request.workload}, global ${run}`, ends);
  const own = measurements.map((measurement) => result(request, measurement, measurements, splits));
  return [...own, ...peerResults(request, peerTimes)];
}

/** Where the time goes in the run that is the median. */
function medianSplit(runs: readonly ScalingRun[]): TimeSplit | undefined {
  const byTime = [...runs].sort((a, b) => a.usPerStep - b.usPerStep);
  return byTime[Math.floor((byTime.length - 1) / 2)]?.split;
}

/** Points with the same have runs of equally many steps of one batch, which must end with the same weights. */
function runOf({ batch, spread, exchange }: ScalingPoint): string {
  return `batch ${batch}, ${exchange.name}${spread === 'joined' ? ', joined' : ''}`;
}

/** The number of steps that take as long as a run should, and the hash that every such run must end with. */
async function findSteps(
  task: ScalingTask,
  { batch, spread, exchange }: ScalingPoint,
  clock: Clock,
): Promise<{ steps: number; hash: string }> {
  const runMs = spread === 'joined' ? JOINED_RUN_MS : RUN_MS;
  const one: ScalingPoint = { mode: 'strong', spread: 'workers', units: 1, batch, exchange };
  // A run of one exchange has no time per step.
  const stepsMin = STEPS_MIN * innerSteps(exchange.sync);
  const rough = await runPoint(task, one, Math.max(ESTIMATE_STEPS, stepsMin), clock);
  const steadySteps = Math.min(
    Math.max(ESTIMATE_STEPS, Math.round((RUN_MS * 250) / rough.usPerStep)),
    Math.max(ESTIMATE_STEPS_MAX, stepsMin),
  );
  const { usPerStep } = await runPoint(task, one, steadySteps, clock);
  const steps = Math.min(
    Math.max(stepsMin, Math.round((runMs * 1000) / usPerStep)),
    Math.max(STEPS_MAX, stepsMin),
  );
  const { weightsSha256 } = await runPoint(task, one, steps, clock);
  return { steps, hash: weightsSha256 };
}

function result(
  { workload, cores }: ScalingRequest,
  { point, steps, runs, targets }: Measurement,
  all: readonly Measurement[],
  splits: ReadonlyMap<ScalingPoint, TimeSplit>,
): ScalingResult {
  const time = ({ runs }: Measurement): number => timeStats(runs.map(({ usPerStep }) => usPerStep)).median;
  const { median, fastest, slowest } = timeStats(runs.map(({ usPerStep }) => usPerStep));
  const points = all.map((measurement) => measurement.point);
  const base = all.find((other) => other.point === baseOf(point, points));
  const gain = base && speedUp(point, median, time(base));
  const split = splits.get(point);
  return {
    ...{ workload, mode: point.mode, spread: point.spread, workers: point.units, batch: point.batch },
    exchange: point.exchange.name,
    ...{ oversubscribed: point.units > cores, backend: runs[0]?.backend ?? '', steps },
    ...{ usPerStep: median, fastestUsPerStep: fastest, slowestUsPerStep: slowest },
    noise: (slowest - fastest) / median,
    ...(targets[0] && {
      stepsToTarget: targets[0].steps,
      secondsToTarget: timeStats(targets.map(({ seconds }) => seconds)).median,
    }),
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
    const { median, fastest, slowest } = timeStats(us);
    const gain = one && timeStats(one).median / median;
    return {
      ...{ workload, mode: 'strong' as const, spread: 'ddp' as const, workers: world, batch },
      exchange: PLAIN.name,
      ...{ oversubscribed: world > cores, backend: 'pytorch' },
      ...{ usPerStep: median, fastestUsPerStep: fastest, slowestUsPerStep: slowest },
      noise: (slowest - fastest) / median,
      ...(gain === undefined ? {} : { speedUp: gain, efficiency: gain / world }),
    };
  });
}

function describePoint({ mode, spread, units, exchange }: ScalingPoint): string {
  return `${mode} scaling, ${spread} ${units}, ${exchange.name}`;
}
