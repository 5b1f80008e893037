import { expect, it } from 'vitest';
import { shapeLink } from '../../scripts/bench/shaped-link.js';
import { systemClock } from '../../shared/actor/clock.js';
import { VirtualClock } from '../../shared/actor/virtual-clock.js';
import { linkInProcess } from '../../shared/link/in-process.js';
import { BUFFERED_BYTES_MAX, type Link } from '../../shared/link/link.js';
import { linkSuite } from '../suites/link-suite.js';

linkSuite('shaped', async () => {
  const [a, b] = linkInProcess(['a', 'b']);
  const shape = { bytesPerSecond: Number.POSITIVE_INFINITY, delayMs: 1 };
  return {
    ends: [a, shapeLink(b, shape, systemClock)],
    bufferedBytesMax: BUFFERED_BYTES_MAX,
    dispose: async () => {},
  };
});

/** 1 MB/s and 30 ms each way, in virtual time. Each end notes when its messages arrive. */
function scene(): {
  clock: VirtualClock;
  ends: [Link, Link];
  arrivals: [number[], number[]];
  pass: (ms: number) => Promise<void>;
} {
  const clock = new VirtualClock();
  const [a, inner] = linkInProcess(['a', 'b']);
  const ends: [Link, Link] = [a, shapeLink(inner, { bytesPerSecond: 1e6, delayMs: 30 }, clock)];
  const arrivals: [number[], number[]] = [[], []];
  for (const [i, end] of ends.entries())
    end.open({ message: () => arrivals[i as 0 | 1].push(clock.nowMs()), closed: () => {} });
  // What happens within the process takes no time, but turns of the event loop.
  const pass = async (ms: number): Promise<void> => {
    for (let at = 0; at < ms; at++) {
      await new Promise((resolve) => setImmediate(resolve));
      clock.advance(1);
    }
    await new Promise((resolve) => setImmediate(resolve));
  };
  return { clock, ends, arrivals, pass };
}

it('delays a small message, in each direction', async () => {
  const { ends, arrivals, pass } = scene();
  await pass(100);
  ends[1].send({ kind: 'ping' });
  ends[0].send({ kind: 'ping' });
  await pass(100);
  for (const times of arrivals) {
    expect(times).toHaveLength(1);
    expect(Math.abs((times[0] as number) - 130)).toBeLessThanOrEqual(1);
  }
});

it('lets through as many bytes a second as its rate, after a burst', async () => {
  const { ends, arrivals, pass } = scene();
  for (let i = 0; i < 20; i++) ends[1].send({ kind: 'x' }, new Uint8Array(100_000));
  expect(ends[1].bufferedBytes).toBeGreaterThan(1_999_000);
  await pass(3000);
  const [times] = arrivals;
  expect(times).toHaveLength(20);
  // The first has the burst of 16 KiB in hand; each one after it takes a tenth of a second.
  expect(Math.abs((times[0] as number) - (30 + 100 - 16))).toBeLessThanOrEqual(2);
  expect(Math.abs((times[19] as number) - (30 + 2000 - 16 + 2))).toBeLessThanOrEqual(4);
  expect(ends[1].bufferedBytes).toBe(0);
});

it('slows down neither direction by what goes the other way', async () => {
  const { ends, arrivals, pass } = scene();
  for (let i = 0; i < 10; i++) ends[1].send({ kind: 'x' }, new Uint8Array(100_000));
  ends[0].send({ kind: 'x' });
  await pass(100);
  expect(arrivals[1]).toHaveLength(1);
  expect(arrivals[0].length).toBeLessThanOrEqual(1);
});
