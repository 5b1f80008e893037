import type { Clock } from '../../shared/actor/clock.js';
import type { Backend } from '../../shared/kernels/kernels.js';
import { measured } from './median.js';
import type { Windows } from './step-bench.js';
import { StepRig } from './step-rig.js';
import type { Workload } from './workloads.js';

/**
 * What the canonical order costs a whole step on one thread. With one leaf as large as the batch there is nothing to
 * merge: each sum runs straight through the batch, as in a trainer whose result may depend on who computes what.
 */
export interface ExactnessResult {
  readonly workload: string;
  readonly batch: number;
  readonly backend: string;
  readonly leaf: number;
  /** Canonical order; medians, like the next. */
  readonly usPerStep: number;
  readonly oneLeafUsPerStep: number;
  /** Median over the windows of canonical over unmerged, less one: 0.05 is 5% slower. */
  readonly price: number;
}

/** Times a workload in both orders, in turn. */
export async function benchExactness(
  workload: Workload,
  batch: number,
  backend: Backend,
  windows: Windows,
  clock: Clock,
): Promise<ExactnessResult> {
  const data = await workload.data(undefined);
  const leaf = Math.min(workload.leaf, batch);
  const open = (leaf: number): Promise<StepRig> =>
    StepRig.open({ recipe: workload, data, batch, leaf, threads: 1, backend }, clock);
  const canonical = await open(leaf);
  const unmerged = await open(batch);
  try {
    const pairs: { own: number; other: number }[] = [];
    // The first two rounds warm up, and find out how many steps a window has.
    for (let round = 0; round < windows.count + 2; round++) {
      const pair = { own: await canonical.window(windows.ms), other: await unmerged.window(windows.ms) };
      if (round > 1) pairs.push(pair);
    }
    return {
      ...{ workload: workload.name, batch, backend, leaf },
      usPerStep: measured(pairs.map(({ own }) => own)).median,
      oneLeafUsPerStep: measured(pairs.map(({ other }) => other)).median,
      price: measured(pairs.map(({ own, other }) => own / other)).median - 1,
    };
  } finally {
    await canonical.close();
    await unmerged.close();
  }
}
