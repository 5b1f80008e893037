import type { Clock } from '../../shared/actor/clock.js';
import type { Backend } from '../../shared/kernels/kernels.js';
import { BareTapes } from './bare-tapes.js';
import { coordinatedSteps } from './coordinated-steps.js';
import { measured } from './median.js';
import type { Windows } from './step-bench.js';
import { StepRig } from './step-rig.js';
import type { Workload } from './workloads.js';

/** Compute threads whose hand-over is measured. */
const THREAD_COUNTS = [1, 2];

/**
 * What a step costs apart from its arithmetic, in microseconds. All are of the fastest window: a difference of a few
 * microseconds drowns in whatever else a machine does.
 */
export interface OverheadResult {
  readonly workload: string;
  readonly batch: number;
  readonly backend: string;
  /** 'stride': steps on compute threads alone; 'coordinator': the whole program, with one local worker. */
  readonly path: 'stride' | 'coordinator';
  readonly threads: number;
  readonly usPerStep: number;
  /** The slowest thread's tapes, run back to back on one thread. */
  readonly arithmeticUs: number;
  readonly overheadUs: number;
}

/** Measures a workload's overhead on the strides of one and two threads, and through the coordinator. */
export async function benchOverhead(
  workload: Workload,
  batch: number,
  backend: Backend,
  windows: Windows,
  clock: Clock,
): Promise<OverheadResult[]> {
  const results: OverheadResult[] = [];
  const common = { workload: workload.name, batch, backend };
  for (const threads of THREAD_COUNTS) {
    const { usPerStep, arithmeticUs } = await strideOverhead(
      workload,
      batch,
      backend,
      threads,
      windows,
      clock,
    );
    const overheadUs = usPerStep - arithmeticUs;
    results.push({ ...common, path: 'stride', threads, usPerStep, arithmeticUs, overheadUs });
  }
  const { usPerStep: strideUs, arithmeticUs } = results[0] as OverheadResult;
  const data = await workload.data(undefined);
  const bounds = { windowMs: windows.count * windows.ms, usPerStep: strideUs };
  const usPerStep = measured(await coordinatedSteps(workload, data, batch, backend, bounds, clock)).fastest;
  const overheadUs = usPerStep - arithmeticUs;
  results.push({ ...common, path: 'coordinator', threads: 1, usPerStep, arithmeticUs, overheadUs });
  return results;
}

/** Strides and bare tapes in turn. */
async function strideOverhead(
  workload: Workload,
  batch: number,
  backend: Backend,
  threads: number,
  windows: Windows,
  clock: Clock,
): Promise<{ usPerStep: number; arithmeticUs: number }> {
  const data = await workload.data(undefined);
  const leaf = Math.min(workload.leaf, batch);
  const rig = await StepRig.open({ recipe: workload, data, batch, leaf, threads, backend }, clock);
  try {
    const bare = new BareTapes(rig, clock);
    const strides: number[] = [];
    const tapes: number[] = [];
    for (let round = 0; round <= windows.count; round++) {
      const stride = await rig.window(windows.ms);
      const tape = bare.window(windows.ms);
      if (round === 0) continue;
      strides.push(stride);
      tapes.push(tape);
    }
    return { usPerStep: measured(strides).fastest, arithmeticUs: measured(tapes).fastest };
  } finally {
    await rig.close();
  }
}
