import type { Clock } from '../../shared/actor/clock.js';
import type { Backend } from '../../shared/kernels/kernels.js';
import type { Windows } from './step-bench.js';
import { StepRig } from './step-rig.js';
import { timeStats } from './time-stats.js';
import type { Workload } from './workloads.js';

/**
 * Cost of the canonical order for a whole step on one thread. A single leaf as large as the batch has nothing to merge:
 * each sum runs straight through the batch, as in a trainer whose result may depend on the number of workers.
 */
export interface ExactnessResult {
  readonly workload: string;
  readonly batch: number;
  readonly backend: string;
  readonly leafSize: number;
  /** In canonical order. Both times are medians. */
  readonly usPerStep: number;
  readonly oneLeafUsPerStep: number;
  /** Median over the windows of the ratio canonical / unmerged, minus 1: 0.05 is 5% slower. */
  readonly price: number;
}

/** Times a workload in both orders, with alternating windows. */
export async function benchExactness(
  workload: Workload,
  batch: number,
  backend: Backend,
  windows: Windows,
  clock: Clock,
): Promise<ExactnessResult> {
  const data = await workload.data(undefined);
  const leafSize = Math.min(workload.leafSize, batch);
  const open = (leafSize: number): Promise<StepRig> =>
    StepRig.open({ recipe: workload, data, batch, leafSize, threads: 1, backend }, clock);
  const canonical = await open(leafSize);
  const unmerged = await open(batch);
  try {
    const pairs: { own: number; other: number }[] = [];
    // The first two pairs warm up, and find the number of steps of a window.
    for (let i = 0; i < windows.count + 2; i++) {
      const pair = { own: await canonical.window(windows.ms), other: await unmerged.window(windows.ms) };
      if (i > 1) pairs.push(pair);
    }
    return {
      ...{ workload: workload.name, batch, backend, leafSize },
      usPerStep: timeStats(pairs.map(({ own }) => own)).median,
      oneLeafUsPerStep: timeStats(pairs.map(({ other }) => other)).median,
      price: timeStats(pairs.map(({ own, other }) => own / other)).median - 1,
    };
  } finally {
    await canonical.close();
    await unmerged.close();
  }
}
