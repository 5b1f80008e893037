import type { Clock } from '../../shared/actor/clock.js';
import type { Backend } from '../../shared/kernels/kernels.js';
import { BareCommandBuffers } from './bare-command-buffers.js';
import { coordinatedSteps } from './coordinated-steps.js';
import type { Windows } from './step-bench.js';
import { StepRig } from './step-rig.js';
import { timeStats } from './time-stats.js';
import type { Workload } from './workloads.js';

/** Numbers of compute threads that are measured. */
const THREAD_COUNTS = [1, 2];

/**
 * What a step costs besides its arithmetic, in microseconds. All times are of the fastest window: in others, the noise
 * of the machine exceeds the few microseconds that are measured.
 */
export interface OverheadResult {
  readonly workload: string;
  readonly batch: number;
  readonly backend: string;
  /** 'execution': steps on compute threads alone; 'coordinator': the whole program, with one local worker. */
  readonly path: 'execution' | 'coordinator';
  readonly threads: number;
  readonly usPerStep: number;
  /** The slowest thread's command buffers, run back to back on one thread. */
  readonly arithmeticUs: number;
  readonly overheadUs: number;
}

/** Measures a workload's overhead with one and two compute threads alone, and through the coordinator. */
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
    const { usPerStep, arithmeticUs } = await executionOverhead(
      workload,
      batch,
      backend,
      threads,
      windows,
      clock,
    );
    const overheadUs = usPerStep - arithmeticUs;
    results.push({ ...common, path: 'execution', threads, usPerStep, arithmeticUs, overheadUs });
  }
  const { usPerStep: executionUs, arithmeticUs } = results[0] as OverheadResult;
  const data = await workload.data(undefined);
  const bounds = { windowMs: windows.count * windows.ms, usPerStep: executionUs };
  const usPerStep = timeStats(await coordinatedSteps(workload, data, batch, backend, bounds, clock)).fastest;
  const overheadUs = usPerStep - arithmeticUs;
  results.push({ ...common, path: 'coordinator', threads: 1, usPerStep, arithmeticUs, overheadUs });
  return results;
}

/** Alternates windows of whole executions and of bare command buffers. */
async function executionOverhead(
  workload: Workload,
  batch: number,
  backend: Backend,
  threads: number,
  windows: Windows,
  clock: Clock,
): Promise<{ usPerStep: number; arithmeticUs: number }> {
  const data = await workload.data(undefined);
  const leafSize = Math.min(workload.leafSize, batch);
  const rig = await StepRig.open({ recipe: workload, data, batch, leafSize, threads, backend }, clock);
  try {
    const bare = new BareCommandBuffers(rig, clock);
    const executions: number[] = [];
    const bareRuns: number[] = [];
    for (let turn = 0; turn <= windows.count; turn++) {
      const executionUs = await rig.window(windows.ms);
      const bareUs = bare.window(windows.ms);
      if (turn === 0) continue;
      executions.push(executionUs);
      bareRuns.push(bareUs);
    }
    return { usPerStep: timeStats(executions).fastest, arithmeticUs: timeStats(bareRuns).fastest };
  } finally {
    await rig.close();
  }
}
