import { describe, expect, it } from 'vitest';
import { VirtualClock } from '../../shared/actor/virtual-clock.js';
import {
  CONNECTIONS_AT_ONCE_MAX,
  CONNECTIONS_PER_SECOND_MAX,
  ConnectionGate,
  NETWORK_CONNECTIONS_AT_ONCE_MAX,
  NETWORK_CONNECTIONS_PER_SECOND_MAX,
} from '../../shared/link/connection-gate.js';

/** A gate, and what it has let in. */
function gated(): {
  clock: VirtualClock;
  gate: ConnectionGate;
  served: string[];
  enter: (network: string, count?: number) => (() => void)[];
} {
  const clock = new VirtualClock();
  const gate = new ConnectionGate(clock);
  const served: string[] = [];
  let number = 0;
  const enter = (network: string, count = 1) =>
    Array.from({ length: count }, () => {
      const name = `${network} ${++number}`;
      return gate.enter(network, () => served.push(name));
    });
  return { clock, gate, served, enter };
}

describe('new connections', () => {
  it('are served at once as long as there are few', () => {
    const { served, enter } = gated();
    enter('a');
    enter('b');
    expect(served).toEqual(['a 1', 'b 2']);
  });

  it('of one network are served at a bounded rate', () => {
    const { clock, served, enter } = gated();
    enter('a', 1000);
    expect(served).toHaveLength(NETWORK_CONNECTIONS_AT_ONCE_MAX);
    clock.advance(10_000);
    const expected = NETWORK_CONNECTIONS_AT_ONCE_MAX + 10 * NETWORK_CONNECTIONS_PER_SECOND_MAX;
    expect(Math.abs(served.length - expected)).toBeLessThanOrEqual(1);
  });

  it('of all networks together are served at a bounded rate, the networks in turn', () => {
    const { clock, served, enter } = gated();
    const networks = Array.from({ length: 10 }, (_, i) => `n${i}`);
    for (const network of networks) enter(network, 100);
    expect(served).toHaveLength(CONNECTIONS_AT_ONCE_MAX);
    const before = served.length;
    clock.advance(1000);
    const later = served.slice(before);
    expect(Math.abs(later.length - CONNECTIONS_PER_SECOND_MAX)).toBeLessThanOrEqual(1);
    // The first two networks came before the others had to wait: each of the rest is served equally often.
    const counts = networks.slice(2).map((n) => later.filter((name) => name.startsWith(`${n} `)).length);
    expect(Math.max(...counts) - Math.min(...counts)).toBeLessThanOrEqual(1);
  });

  it('of another network do not wait for those of a flood, and the latest of the same network is next', () => {
    const { clock, served, enter } = gated();
    enter('flood', 500);
    enter('elsewhere');
    expect(served.at(-1)).toBe('elsewhere 501');
    enter('flood');
    clock.advance(1000 / NETWORK_CONNECTIONS_PER_SECOND_MAX + 20);
    expect(served.at(-1)).toBe('flood 502');
  });

  it('that are closed while they wait are not served', () => {
    const { clock, served, enter } = gated();
    const leaves = enter('a', NETWORK_CONNECTIONS_AT_ONCE_MAX + 2);
    leaves.at(-1)?.();
    leaves.at(-1)?.();
    clock.advance(10_000);
    expect(served).toHaveLength(NETWORK_CONNECTIONS_AT_ONCE_MAX + 1);
    expect(served).not.toContain(`a ${NETWORK_CONNECTIONS_AT_ONCE_MAX + 2}`);
  });

  it('are not served by a gate that is closed', () => {
    const { clock, gate, served, enter } = gated();
    enter('a', NETWORK_CONNECTIONS_AT_ONCE_MAX + 1);
    gate.close();
    clock.advance(10_000);
    expect(served).toHaveLength(NETWORK_CONNECTIONS_AT_ONCE_MAX);
  });
});
