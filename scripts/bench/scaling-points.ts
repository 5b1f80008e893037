import type { StepSplit } from './thread-times.js';
import type { WorkerReport } from './worker-report.js';

/**
 * How the work is spread: local workers of one thread in one process, threads of one local worker, or worker processes
 * of one thread each behind the loopback address.
 */
const SPREADS = ['workers', 'threads', 'remote'] as const;
export type Spread = (typeof SPREADS)[number];

/** 'strong': the same global batch for all; 'weak': a batch that grows with the units. */
export type ScalingMode = 'strong' | 'weak';

/** One point of a curve, before it is measured. */
export interface ScalingPoint {
  readonly mode: ScalingMode;
  readonly spread: Spread;
  /** Workers, threads or processes. */
  readonly units: number;
  /** Global batch. */
  readonly batch: number;
}

/** Where a step's time goes, in microseconds; together it is the step. */
export interface TimeSplit {
  /** Forward and backward, on average over threads or processes. */
  readonly compute: number;
  /** For the slowest, and for whoever is woken late. */
  readonly wait: number;
  /** Between processes: copies, frames, sockets, event loops. */
  readonly wire: number;
  /** Additions of partial sums. */
  readonly reduce: number;
  readonly update: number;
}

/** The units that are measured of each spread, in ascending order. */
export type Units = Readonly<Record<Spread, readonly number[]>>;

/** All points of both modes. One thread is one worker: that point is not measured twice. */
export function scalingPoints(units: Units, batch: number): ScalingPoint[] {
  const points = (mode: ScalingMode): ScalingPoint[] =>
    SPREADS.flatMap((spread) =>
      units[spread].map((n) => ({ mode, spread, units: n, batch: mode === 'weak' ? n * batch : batch })),
    ).filter(({ spread, units }) => spread !== 'threads' || units > 1);
  // A weak curve begins where the strong one does.
  return [...points('strong'), ...points('weak').filter(({ units }) => units > 1)];
}

/** The point that others of its spread are compared with: one unit, and the batch that one unit has. */
export function baseOf(point: ScalingPoint, points: readonly ScalingPoint[]): ScalingPoint | undefined {
  const spread = point.spread === 'threads' ? 'workers' : point.spread;
  return points.find((other) => other.mode === 'strong' && other.spread === spread && other.units === 1);
}

/** Times as fast as one unit; of a weak curve, as much work in the same time. */
export function speedUp({ mode, units }: ScalingPoint, usPerStep: number, baseUs: number): number {
  return (baseUs / usPerStep) * (mode === 'weak' ? units : 1);
}

/** The split of a stride's steps: whatever is not work is waiting. */
export function localSplit({ stepMs, computeMs, reduceMs, updateMs }: StepSplit): TimeSplit {
  const wait = (stepMs - computeMs - reduceMs - updateMs) * 1000;
  return { compute: computeMs * 1000, wait, wire: 0, reduce: reduceMs * 1000, update: updateMs * 1000 };
}

/**
 * The split of steps over worker processes.
 * @param finish what the coordinator's threads did
 */
export function remoteSplit(
  usPerStep: number,
  reports: readonly WorkerReport[],
  finish: StepSplit,
): TimeSplit {
  const steps = Math.max(...reports.map(({ computeMs }) => computeMs.length));
  let slowest = 0;
  let mean = 0;
  // The first half warms up.
  for (let step = Math.floor(steps / 2); step < steps; step++) {
    const times = reports.map(({ computeMs }) => computeMs[step] ?? 0);
    slowest += Math.max(...times);
    mean += times.reduce((sum, ms) => sum + ms, 0) / times.length;
  }
  const scale = 1000 / (steps - Math.floor(steps / 2));
  const [reduce, update] = [finish.reduceMs * 1000, finish.updateMs * 1000];
  const wire = usPerStep - slowest * scale - reduce - update;
  return { compute: mean * scale, wait: (slowest - mean) * scale, wire, reduce, update };
}
