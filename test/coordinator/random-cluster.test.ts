import { describe, expect, it } from 'vitest';
import { RandomCluster } from './random-cluster.js';

/** Steps of a run: more where most are executions. */
const STEPS = { distributed: 12, mixed: 36 };

/** Samples that were credited to all members together. */
function samplesOf({ state }: RandomCluster): number {
  return [...state.membership.departed, ...state.membership.members.values()].reduce(
    (sum, { samples }) => sum + samples,
    0,
  );
}

describe('a cluster in which messages take any order and workers come and go', () => {
  it.each([0, 1, 3])('gives each step its canonical sum, with %i local workers', (locals) => {
    const steps = locals === 0 ? STEPS.distributed : STEPS.mixed;
    let distributedSteps = 0;
    let refused = 0;
    for (let seed = 0; seed < 150; seed++) {
      const cluster = new RandomCluster(seed, { steps, minWorkers: Math.max(1, locals) });
      for (let i = 0; i < locals; i++) cluster.add(true);
      cluster.add(false);
      const what = `seed ${seed}`;
      cluster.run();
      expect(cluster.state.training.step, what).toBe(steps);
      expect(samplesOf(cluster), what).toBe((steps / 3) * (32 + 32 + 18));
      expect(cluster.buffers.size, `${what}: sums that were never released`).toBe(0);
      for (const { name, exitReason } of cluster.workers) {
        if (exitReason === undefined) continue;
        // Only a worker that breaks the protocol may be refused.
        expect(cluster.repeaters.has(name), `${what}: ${name} ended: ${exitReason}`).toBe(true);
        refused += 1;
      }
      distributedSteps += cluster.roots.size;
    }
    expect(distributedSteps).toBeGreaterThan(200);
    expect(refused).toBeGreaterThan(0);
  });
});
