import { describe, expect, it } from 'vitest';
import type { Stride } from '../../shared/engine/team.js';
import { Bench, digest } from './stand-in.js';

const bits = new DataView(new ArrayBuffer(4));
function floatBits(value: number): number {
  bits.setFloat32(0, value);
  return bits.getInt32(0);
}

/**
 * A "training" in which every number depends on every other: thread t's partial results are digests of all weights and
 * of its cells, its new weight is a digest of all partial results. Work that runs too early or too late changes it.
 */
function entangled(bench: Bench, steps: number): { stride: Stride; weights: number } {
  const { threads } = bench.team;
  const weights = bench.cells(threads);
  const partials = bench.cells(3 * threads);
  const stride = bench.stride(
    steps,
    (thread, { cursor, scalars }) => ({
      compute: bench.tape(
        ['digest', partials + 3 * thread, weights, threads],
        ['digest', partials + 3 * thread + 1, cursor / 4, 3],
        ['digest', partials + 3 * thread + 2, scalars / 4, 2],
      ),
      finish: bench.tape(
        ['digest', weights + thread, partials, 3 * threads - thread],
        // A second pass makes the threads' finish tapes differ in length.
        ...Array.from(
          { length: thread },
          () => ['digest', weights + thread, partials, 3 * threads - thread] as const,
        ),
      ),
    }),
    { cell: weights, count: threads },
  );
  return { stride, weights };
}

/** The same, one thing after the other: the weights after each step. */
function expectedLog(threads: number, steps: number): number[][] {
  let weights = new Array<number>(threads).fill(0);
  return Array.from({ length: steps }, (_, step) => {
    const own = [
      digest(weights),
      digest([(2 ** 31 + step) | 0, 3 * step, 7 * step]),
      digest([floatBits(step / 2), floatBits(-step)]),
    ];
    const partials = weights.flatMap(() => own);
    weights = weights.map((_, thread) => digest(partials.slice(0, 3 * threads - thread)));
    return weights;
  });
}

function logOf(bench: Bench, stride: Stride, steps: number): number[][] {
  const { log, floats } = stride.metrics;
  return Array.from({ length: steps }, (_, step) => bench.read(log / 4 + step * floats, floats));
}

describe('a stride', () => {
  it.each([1, 2, 3, 7])('of %i threads is the same as step by step', async (threads) => {
    const bench = await Bench.of(threads);
    const steps = threads > 3 ? 200 : 2000;
    const { stride } = entangled(bench, steps);
    expect(await bench.team.stride(stride)).toBe(steps);
    expect(bench.team.stepsDone).toBe(steps);
    expect(logOf(bench, stride, steps)).toEqual(expectedLog(threads, steps));
  });

  it('can follow another, and single jobs', async () => {
    const bench = await Bench.of(2);
    const { stride, weights } = entangled(bench, 10);
    for (let round = 0; round < 20; round++) {
      bench.memory.i32(weights * 4, 2).fill(0);
      expect(await bench.team.stride(stride)).toBe(10);
      expect(logOf(bench, stride, 10)).toEqual(expectedLog(2, 10));
      const out = bench.cells(1);
      await bench.team.run([undefined, bench.tape(['digest', out, weights, 2])]);
      expect(bench.read(out, 1)).toEqual([digest(expectedLog(2, 10)[9] ?? [])]);
    }
  });

  it('skips empty tapes', async () => {
    const bench = await Bench.of(2);
    const none = { offset: 0, words: 0 };
    expect(await bench.team.stride(bench.stride(5, () => ({ compute: none, finish: none })))).toBe(5);
  });

  it('ends early when interrupted, at the same step on all threads', async () => {
    const bench = await Bench.of(3);
    const [counts, gate] = [bench.cells(3), bench.cells(2)];
    const stride = bench.stride(1000, (thread) => ({
      compute: bench.tape(['count', counts + thread, thread === 1 ? 7 : 0, gate]),
      finish: { offset: 0, words: 0 },
    }));
    const abort = new AbortController();
    const done = bench.team.stride(stride, abort.signal);
    await bench.held(gate);
    expect(bench.team.stepsDone).toBe(6);
    abort.abort();
    bench.release(gate + 1);
    expect(await done).toBe(7);
    expect(bench.read(counts, 3)).toEqual([7, 7, 7]);

    // The next stride is a new one; a signal that is past does nothing any more.
    const again = bench.stride(5, (thread) => ({
      compute: bench.tape(['count', counts + thread]),
      finish: { offset: 0, words: 0 },
    }));
    expect(await bench.team.stride(again)).toBe(5);
    expect(await bench.team.stride(again, abort.signal)).toBe(0);
    expect(bench.read(counts, 3)).toEqual([12, 12, 12]);
  });

  it('ends with a clear error when a thread dies in it', async () => {
    const bench = await Bench.of(3);
    const count = bench.cells(1);
    const stride = bench.stride(1000, (thread) => ({
      compute: bench.tape(...(thread === 0 ? [['count', count] as const] : [])),
      finish: bench.tape(...(thread === 2 ? [['exitAt', count, 5] as const] : [])),
    }));
    await expect(bench.team.stride(stride)).rejects.toThrow(
      'compute thread 3 of 3 died: worker exited with code: 3',
    );
    expect(bench.team.stepsDone).toBe(4);
  });

  it('ends with a clear error when a kernel throws, though the others wait for the thread', async () => {
    const bench = await Bench.of(7);
    const stride = bench.stride(10, (thread) => ({
      compute: bench.tape(...(thread === 4 ? [['slip'] as const] : [])),
      finish: { offset: 0, words: 0 },
    }));
    await expect(bench.team.stride(stride)).rejects.toThrow(
      'compute thread 5 of 7 failed: RangeError: the kernel slipped',
    );
  });

  it('cannot lack a share', async () => {
    const bench = await Bench.of(2);
    const stride = bench.stride(1, () => ({ compute: bench.tape(), finish: bench.tape() }));
    await expect(bench.team.stride({ ...stride, shares: stride.shares.slice(1) })).rejects.toThrow(
      /share per thread/,
    );
    await expect(bench.team.stride({ ...stride, steps: 0 })).rejects.toThrow(/needs a step/);
  });
});

describe('a stride whose update needs the whole sum', () => {
  it.each([1, 2, 3])('lets %i threads meet before it', async (threads) => {
    const bench = await Bench.of(threads);
    const weights = bench.cells(threads);
    const sums = bench.cells(threads);
    const steps = 200;
    const stride = bench.stride(
      steps,
      (thread) => ({
        compute: bench.tape(),
        // The threads' finish tapes differ in length: whoever updated too early would miss the others' sums.
        finish: bench.tape(
          ...Array.from({ length: thread + 1 }, () => ['digest', sums + thread, weights, threads] as const),
        ),
        update: bench.tape(['digest', weights + thread, sums, threads - thread]),
      }),
      { cell: weights, count: threads },
    );
    expect(await bench.team.stride(stride)).toBe(steps);
    let expected = new Array<number>(threads).fill(0);
    const log = Array.from({ length: steps }, () => {
      const partial = expected.map(() => digest(expected));
      expected = partial.map((_, thread) => digest(partial.slice(0, threads - thread)));
      return expected;
    });
    expect(logOf(bench, stride, steps)).toEqual(log);
  });
});
