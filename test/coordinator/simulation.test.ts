import { describe, expect, it } from 'vitest';
import { Simulation } from './simulation.js';

/** Samples that all members together were credited with. */
function samplesOf({ state }: Simulation): number {
  return [...state.departed, ...state.members.values()].reduce((sum, { samples }) => sum + samples, 0);
}

describe('whatever happens to the nodes', () => {
  it.each([0, 1, 3])('each step has its canonical sum, with %i local nodes', (locals) => {
    let rounds = 0;
    let refused = 0;
    for (let seed = 0; seed < 150; seed++) {
      const simulation = new Simulation(seed, { minWorkers: Math.max(1, locals) });
      for (let i = 0; i < locals; i++) simulation.add(true);
      simulation.add(false);
      const what = `seed ${seed}`;
      simulation.run();
      expect(simulation.state.step, what).toBe(12);
      expect(samplesOf(simulation), what).toBe(4 * (32 + 32 + 18));
      expect(simulation.slots.size, `${what}: sums that nobody let go`).toBe(0);
      for (const { name, ending } of simulation.nodes) {
        if (ending === undefined) continue;
        // Only who breaks the protocol is ever turned away.
        expect(simulation.repeaters.has(name), `${what}: ${name} ended: ${ending}`).toBe(true);
        refused += 1;
      }
      rounds += simulation.roots.size;
    }
    expect(rounds).toBeGreaterThan(300);
    expect(refused).toBeGreaterThan(0);
  });
});
