import { describe, expect, it } from 'vitest';
import type { Execution } from '../../../shared/engine/threads/thread-pool.js';
import { Bench, digest } from '../stand-in.js';

const bits = new DataView(new ArrayBuffer(4));
function floatBits(value: number): number {
  bits.setFloat32(0, value);
  return bits.getInt32(0);
}

/**
 * An execution in which every number depends on every other: thread t's partial results are digests of all weights and
 * of its cells, and its new weight is a digest of all partial results. Work that runs too early or too late changes it.
 */
function entangled(bench: Bench, steps: number): { execution: Execution; weights: number } {
  const { threads } = bench.threadPool;
  const weights = bench.cells(threads);
  const partialSums = bench.cells(3 * threads);
  const execution = bench.execution(
    steps,
    (thread, { cursor, scalars }) => ({
      compute: bench.commandBuffer(
        ['digest', partialSums + 3 * thread, weights, threads],
        ['digest', partialSums + 3 * thread + 1, cursor / 4, 3],
        ['digest', partialSums + 3 * thread + 2, scalars / 4, 2],
      ),
      finish: bench.commandBuffer(
        ['digest', weights + thread, partialSums, 3 * threads - thread],
        // Repeats, so that the threads' `finish` command buffers differ in length.
        ...Array.from(
          { length: thread },
          () => ['digest', weights + thread, partialSums, 3 * threads - thread] as const,
        ),
      ),
    }),
    { cell: weights, count: threads },
  );
  return { execution, weights };
}

/** The weights after each step, computed sequentially. */
function expectedLog(threads: number, steps: number): number[][] {
  let weights = new Array<number>(threads).fill(0);
  return Array.from({ length: steps }, (_, step) => {
    const own = [
      digest(weights),
      digest([(2 ** 31 + step) | 0, 3 * step, 7 * step]),
      digest([floatBits(step / 2), floatBits(-step)]),
    ];
    const partialSums = weights.flatMap(() => own);
    weights = weights.map((_, thread) => digest(partialSums.slice(0, 3 * threads - thread)));
    return weights;
  });
}

function logOf(bench: Bench, execution: Execution, steps: number): number[][] {
  const { log, floats } = execution.metrics;
  return Array.from({ length: steps }, (_, step) => bench.read(log / 4 + step * floats, floats));
}

describe('an execution', () => {
  it.each([1, 2, 3, 7])('on %i threads is the same as a sequential computation', async (threads) => {
    const bench = await Bench.of(threads);
    const steps = threads > 3 ? 200 : 2000;
    const { execution } = entangled(bench, steps);
    expect(await bench.threadPool.execute(execution)).toBe(steps);
    expect(bench.threadPool.stepsDone).toBe(steps);
    expect(logOf(bench, execution, steps)).toEqual(expectedLog(threads, steps));
  });

  it('can follow another execution, and single jobs', async () => {
    const bench = await Bench.of(2);
    const { execution, weights } = entangled(bench, 10);
    for (let round = 0; round < 20; round++) {
      bench.memory.i32(weights * 4, 2).fill(0);
      expect(await bench.threadPool.execute(execution)).toBe(10);
      expect(logOf(bench, execution, 10)).toEqual(expectedLog(2, 10));
      const out = bench.cells(1);
      await bench.threadPool.run([undefined, bench.commandBuffer(['digest', out, weights, 2])]);
      expect(bench.read(out, 1)).toEqual([digest(expectedLog(2, 10)[9] ?? [])]);
    }
  });

  it('skips empty command buffers', async () => {
    const bench = await Bench.of(2);
    const none = { offset: 0, words: 0 };
    expect(await bench.threadPool.execute(bench.execution(5, () => ({ compute: none, finish: none })))).toBe(
      5,
    );
  });

  it('ends early when interrupted, at the same step on all threads', async () => {
    const bench = await Bench.of(3);
    const [counts, gate] = [bench.cells(3), bench.cells(2)];
    const execution = bench.execution(1000, (thread) => ({
      compute: bench.commandBuffer(['count', counts + thread, thread === 1 ? 7 : 0, gate]),
      finish: { offset: 0, words: 0 },
    }));
    const abort = new AbortController();
    const done = bench.threadPool.execute(execution, abort.signal);
    await bench.held(gate);
    expect(bench.threadPool.stepsDone).toBe(6);
    abort.abort();
    bench.release(gate + 1);
    expect(await done).toBe(7);
    expect(bench.read(counts, 3)).toEqual([7, 7, 7]);

    // The signal of the first execution has no effect on the next one.
    const again = bench.execution(5, (thread) => ({
      compute: bench.commandBuffer(['count', counts + thread]),
      finish: { offset: 0, words: 0 },
    }));
    expect(await bench.threadPool.execute(again)).toBe(5);
    expect(await bench.threadPool.execute(again, abort.signal)).toBe(0);
    expect(bench.read(counts, 3)).toEqual([12, 12, 12]);
  });

  it('goes on in one group of threads while another waits', async () => {
    const bench = await Bench.of(5);
    const [counts, gate] = [bench.cells(5), bench.cells(2)];
    const all = bench.execution(20, (thread) => ({
      compute: bench.commandBuffer(['count', counts + thread, thread === 1 ? 7 : 0, gate]),
      finish: { offset: 0, words: 0 },
    }));
    const [first, second] = [
      { from: 0, to: 3 },
      { from: 3, to: 5 },
    ].map((range) => {
      const execution = { ...all, shares: all.shares.slice(range.from, range.to) };
      const abort = new AbortController();
      return { abort, done: bench.threadPool.group(range).execute(execution, abort.signal) };
    });
    expect(await second?.done).toBe(20);
    await bench.held(gate);
    first?.abort.abort();
    bench.release(gate + 1);
    expect(await first?.done).toBe(7);
    expect(bench.read(counts, 5)).toEqual([7, 7, 7, 20, 20]);
  });

  it('rejects with the thread and the cause when a thread dies', async () => {
    const bench = await Bench.of(3);
    const count = bench.cells(1);
    const execution = bench.execution(1000, (thread) => ({
      compute: bench.commandBuffer(...(thread === 0 ? [['count', count] as const] : [])),
      finish: bench.commandBuffer(...(thread === 2 ? [['exitAt', count, 5] as const] : [])),
    }));
    await expect(bench.threadPool.execute(execution)).rejects.toThrow(
      'compute thread 3 of 3 died: worker exited with code: 3',
    );
    expect(bench.threadPool.stepsDone).toBe(4);
  });

  it('rejects with the thread and the cause when a kernel throws while the other threads wait', async () => {
    const bench = await Bench.of(7);
    const execution = bench.execution(10, (thread) => ({
      compute: bench.commandBuffer(...(thread === 4 ? [['fail'] as const] : [])),
      finish: { offset: 0, words: 0 },
    }));
    await expect(bench.threadPool.execute(execution)).rejects.toThrow(
      'compute thread 5 of 7 failed: RangeError: the kernel failed',
    );
  });

  it('needs a share for each thread, and a step', async () => {
    const bench = await Bench.of(2);
    const execution = bench.execution(1, () => ({
      compute: bench.commandBuffer(),
      finish: bench.commandBuffer(),
    }));
    await expect(
      bench.threadPool.execute({ ...execution, shares: execution.shares.slice(1) }),
    ).rejects.toThrow(/share per thread/);
    await expect(bench.threadPool.execute({ ...execution, steps: 0 })).rejects.toThrow(/needs a step/);
  });
});

describe('an execution whose update needs the whole sum', () => {
  it.each([1, 2, 3])('waits for all of %i threads before the update', async (threads) => {
    const bench = await Bench.of(threads);
    const weights = bench.cells(threads);
    const sums = bench.cells(threads);
    const steps = 200;
    const execution = bench.execution(
      steps,
      (thread) => ({
        compute: bench.commandBuffer(),
        // These differ in length, so a thread that updated too early would miss the others' sums.
        finish: bench.commandBuffer(
          ...Array.from({ length: thread + 1 }, () => ['digest', sums + thread, weights, threads] as const),
        ),
        update: bench.commandBuffer(['digest', weights + thread, sums, threads - thread]),
      }),
      { cell: weights, count: threads },
    );
    expect(await bench.threadPool.execute(execution)).toBe(steps);
    let expected = new Array<number>(threads).fill(0);
    const log = Array.from({ length: steps }, () => {
      const partialSum = expected.map(() => digest(expected));
      expected = partialSum.map((_, thread) => digest(partialSum.slice(0, threads - thread)));
      return expected;
    });
    expect(logOf(bench, execution, steps)).toEqual(log);
  });
});
