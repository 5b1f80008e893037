import { type Exchange, PLAIN } from './exchange.js';
import type { StepSplit } from './thread-times.js';

/**
 * What the work is spread over: local workers of one thread in one process, threads of one local worker, worker processes of
 * one thread each, connected over the loopback address, or one local worker and worker processes that join it.
 */
const SPREADS = ['workers', 'threads', 'remote', 'joined'] as const;
export type Spread = (typeof SPREADS)[number];

/** 'strong': the same global batch for all points; 'weak': a batch that grows with the units. */
export type ScalingMode = 'strong' | 'weak';

/** One point of a curve, before it is measured. */
export interface ScalingPoint {
  readonly mode: ScalingMode;
  readonly spread: Spread;
  /** Number of workers, threads or processes. */
  readonly units: number;
  /** Global batch of an optimizer step. */
  readonly batch: number;
  readonly exchange: Exchange;
}

/** What a worker process is told: the network as it is, and no overlap of exchange and computing. */
export const NO_SHAPE = '-';
export const SERIAL = 'serial';

/** What a worker process of a benchmark prints when it ends. */
export interface WorkerReport {
  readonly exitReason: string;
  readonly reason: string;
  /** Bytes of weights received and of partial sums sent. */
  readonly payloadBytes: number;
  /** Milliseconds of computation in each step. */
  readonly computeMs: readonly number[];
}

/** Where a step's time goes, in microseconds; the parts add up to the step. */
export interface TimeSplit {
  /** Forward and backward pass, mean over threads or processes. */
  readonly compute: number;
  /** Waiting for the slowest, and for threads that wake late. */
  readonly wait: number;
  /** Between processes: copies, frames, sockets, event loops, as far as a step waits for them. */
  readonly wire: number;
  /** Additions of partial sums. */
  readonly reduce: number;
  readonly update: number;
  /** No part of the step: time of the exchange that overlaps with computing. Without overlap, a step takes so much longer. */
  readonly hidden: number;
}

/** Whether a spread has worker processes. */
export function hasProcesses({ spread }: ScalingPoint): boolean {
  return spread === 'remote' || spread === 'joined';
}

/** Numbers of units to measure for each spread, in ascending order. */
export type Units = Readonly<Record<Spread, readonly number[]>>;

/**
 * All points of both modes. One thread is the same as one worker, so that point is not measured twice; nor is a local worker
 * that nobody joins, unless others are compared with it.
 */
export function scalingPoints(
  units: Units,
  batch: number,
  exchanges: readonly Exchange[] = [PLAIN],
): ScalingPoint[] {
  const points = (mode: ScalingMode, exchange: Exchange): ScalingPoint[] =>
    SPREADS.flatMap((spread) =>
      units[spread].map((n) => ({
        ...{ mode, spread, units: n, exchange },
        batch: mode === 'weak' ? n * batch : batch,
      })),
    ).filter(
      ({ spread, units: n }) =>
        n > 1 || !(spread === 'threads' || (spread === 'joined' && units.joined.length === 1)),
    );
  // A weak curve begins at the same point as the strong one.
  return exchanges.flatMap((exchange) => [
    ...points('strong', exchange),
    ...points('weak', exchange).filter(({ units }) => units > 1),
  ]);
}

/** The point that others of its spread are compared with: one unit with the batch of one unit. */
export function baseOf(point: ScalingPoint, points: readonly ScalingPoint[]): ScalingPoint | undefined {
  const spread = point.spread === 'threads' ? 'workers' : point.spread;
  return points.find(
    (other) =>
      other.mode === 'strong' &&
      other.spread === spread &&
      other.units === 1 &&
      other.exchange === point.exchange,
  );
}

/** Speed relative to one unit; on a weak curve, the work done in the same time relative to one unit. */
export function speedUp({ mode, units }: ScalingPoint, usPerStep: number, baseUs: number): number {
  return (baseUs / usPerStep) * (mode === 'weak' ? units : 1);
}

/** The split of local steps: all time that is not work is waiting. */
export function localSplit({ stepMs, computeMs, reduceMs, updateMs }: StepSplit): TimeSplit {
  const wait = (stepMs - computeMs - reduceMs - updateMs) * 1000;
  const [reduce, update] = [reduceMs * 1000, updateMs * 1000];
  return { compute: computeMs * 1000, wait, wire: 0, reduce, update, hidden: 0 };
}

/**
 * The split of steps over worker processes.
 * @param finish times of the coordinator's threads
 */
export function remoteSplit(
  usPerStep: number,
  reports: readonly WorkerReport[],
  finish: StepSplit,
): TimeSplit {
  const steps = Math.max(...reports.map(({ computeMs }) => computeMs.length));
  let slowest = 0;
  let mean = 0;
  // The first half is warm-up.
  for (let step = Math.floor(steps / 2); step < steps; step++) {
    const times = reports.map(({ computeMs }) => computeMs[step] ?? 0);
    slowest += Math.max(...times);
    mean += times.reduce((sum, ms) => sum + ms, 0) / times.length;
  }
  const scale = 1000 / (steps - Math.floor(steps / 2));
  const [reduce, update] = [finish.reduceMs * 1000, finish.updateMs * 1000];
  const wire = usPerStep - slowest * scale - reduce - update;
  return { compute: mean * scale, wait: (slowest - mean) * scale, wire, reduce, update, hidden: 0 };
}
