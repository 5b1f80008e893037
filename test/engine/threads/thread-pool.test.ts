import { spawnSync } from 'node:child_process';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { describe, expect, it, onTestFinished } from 'vitest';
import { ComputeMemory } from '../../../shared/engine/memory.js';
import { nodePlatform } from '../../../shared/engine/node-platform.js';
import { ThreadPool } from '../../../shared/engine/threads/thread-pool.js';
import { UserError } from '../../../shared/errors.js';
import { CommandBuffer } from '../../../shared/kernels/command-buffer.js';
import { Bench, digest, STAND_IN } from '../stand-in.js';

describe('a thread pool', () => {
  it('runs a command buffer on each thread', async () => {
    const bench = await Bench.of(7);
    const out = bench.cells(7);
    const from = bench.cells(7);
    bench.memory.i32(from * 4, 7).set([1, 2, 3, 4, 5, 6, 7]);
    await bench.threadPool.run(
      Array.from({ length: 7 }, (_, i) => bench.commandBuffer(['digest', out + i, from, i])),
    );
    expect(bench.read(out, 7)).toEqual(
      Array.from({ length: 7 }, (_, i) => digest([1, 2, 3, 4, 5, 6, 7].slice(0, i))),
    );
  });

  it('leaves threads without a command buffer alone', async () => {
    const bench = await Bench.of(3);
    const out = bench.cells(1);
    await bench.threadPool.run([]);
    await bench.threadPool.run([undefined, undefined, undefined]);
    await bench.threadPool.run([undefined, bench.commandBuffer(['count', out])]);
    await bench.threadPool.run([bench.commandBuffer(['count', out])], 2);
    expect(bench.read(out, 1)).toEqual([2]);
    expect(() => bench.threadPool.run([bench.commandBuffer(), bench.commandBuffer()], 2)).toThrow(
      'more command buffers than threads',
    );
  });

  it('does jobs of different threads at the same time, and jobs that share a thread in order', async () => {
    const bench = await Bench.of(2);
    const [gate, counts, seen] = [bench.cells(2), bench.cells(2), bench.cells(1)];
    const order: string[] = [];
    const note = (name: string) => () => order.push(name);
    const slow = bench.threadPool
      .run([bench.commandBuffer(['hold', gate, gate + 1], ['count', counts])])
      .then(note('slow'));
    const both = bench.threadPool.run([
      bench.commandBuffer(['digest', seen, counts, 2]),
      bench.commandBuffer(['count', counts]),
    ]);
    const late = bench.threadPool.run([bench.commandBuffer(['count', counts + 1])], 1).then(note('late'));
    const jobs = [slow, both.then(note('both')), late];
    await bench.held(gate);
    // The second job has not started on the free thread either: a job starts on all its threads at once.
    expect(bench.read(counts, 2)).toEqual([0, 0]);
    bench.release(gate + 1);
    await Promise.all(jobs);
    expect(order).toEqual(['slow', 'both', 'late']);
    expect(bench.read(counts, 2)).toEqual([2, 1]);

    const other = bench.cells(2);
    const held = bench.threadPool.run([bench.commandBuffer(['hold', other, other + 1])]);
    await bench.threadPool.run([bench.commandBuffer(['count', counts])], 1);
    bench.release(other + 1);
    await held;
  });

  it('resolves a job when it is done, and not at the wake-up of an earlier job', async () => {
    const bench = await Bench.of(1);
    const [gate, count] = [bench.cells(2), bench.cells(1)];
    let isDone = false;
    const job = bench.threadPool
      .run([bench.commandBuffer(['hold', gate, gate + 1], ['count', count])])
      .then(() => {
        isDone = true;
      });
    await bench.held(gate);
    // All words before the cells, and among them those that report the end of a job.
    const words = bench.memory.i32(0, gate);
    let woken = 0;
    for (let i = 0; i < words.length; i++) woken += Atomics.notify(words, i);
    expect(woken).toBeGreaterThan(0);
    // Waits for a wake-up that the JavaScript engine delivers after the one of the job.
    const cell = bench.cells(1);
    const echo = Atomics.waitAsync(bench.memory.i32(0, cell + 1), cell, 0).value;
    Atomics.notify(bench.memory.i32(0, cell + 1), cell);
    await echo;
    await new Promise((resolve) => setImmediate(resolve));
    expect(isDone).toBe(false);
    bench.release(gate + 1);
    await job;
    expect(bench.read(count, 1)).toEqual([1]);
  });

  it('uses memory that has grown since its threads started', async () => {
    const bench = await Bench.of(2);
    for (let growth = 0; growth < 6; growth++) {
      const pages = bench.memory.pages;
      const out = bench.memory.allocate(pages * 65536) / 4 + pages * 16384 - 1;
      expect(bench.memory.pages).toBeGreaterThan(pages);
      await bench.threadPool.run([undefined, bench.commandBuffer(['count', out])]);
      expect(bench.read(out, 1)).toEqual([1]);
      const execution = bench.execution(2, () => ({
        compute: bench.commandBuffer(['count', out]),
        finish: bench.commandBuffer(),
      }));
      await bench.threadPool.execute(execution);
      expect(bench.read(out, 1)).toEqual([5]);
    }
  });

  it('rejects with the thread and the cause when a kernel throws, and again for later jobs', async () => {
    const bench = await Bench.of(2);
    const message = 'compute thread 2 of 2 failed: RangeError: the kernel failed';
    await expect(
      bench.threadPool.run([bench.commandBuffer(), bench.commandBuffer(['fail'])]),
    ).rejects.toThrow(message);
    await expect(bench.threadPool.run([bench.commandBuffer()])).rejects.toThrow(message);
    await bench.threadPool.stop();
    await expect(bench.threadPool.run([bench.commandBuffer()])).rejects.toThrow(message);
  });

  it('rejects the jobs of other threads when a thread dies', async () => {
    const bench = await Bench.of(3);
    const gate = bench.cells(2);
    const message = 'compute thread 3 of 3 died: worker exited with code: 3';
    const held = bench.threadPool.run([bench.commandBuffer(['hold', gate, gate + 1])]);
    const queued = bench.threadPool.run([bench.commandBuffer(['count', gate])]);
    const jobs = [held, queued, bench.threadPool.run([bench.commandBuffer(['exit'])], 2)];
    await Promise.all(jobs.map((job) => expect(job).rejects.toThrow(message)));
    expect(bench.read(gate + 1, 1)).toEqual([0]);
  });

  it('stops at any time, any number of times', async () => {
    const bench = await Bench.of(2);
    const gate = bench.cells(2);
    const held = expect(
      bench.threadPool.run([bench.commandBuffer(['hold', gate, gate + 1])]),
    ).rejects.toThrow('were stopped');
    await bench.held(gate);
    await Promise.all([bench.threadPool.stop(), bench.threadPool.stop()]);
    await held;
    await bench.threadPool.stop();
    await expect(bench.threadPool.run([bench.commandBuffer()])).rejects.toThrow('were stopped');
  });

  it.each([
    ['it stops', 'await pool.run([none]); await pool.stop();'],
    ['a thread dies', 'await pool.run([exit]).catch(({ message }) => console.log(message));'],
  ])('lets the process end when %s', (_, act) => {
    const program = `
      import { ComputeMemory } from './dist/shared/engine/memory.js';
      import { nodePlatform } from './dist/shared/engine/node-platform.js';
      import { ThreadPool } from './dist/shared/engine/threads/thread-pool.js';
      const memory = new ComputeMemory();
      const pool = await ThreadPool.start({ memory, threads: 2, backend: 'wasm', platform: nodePlatform(${JSON.stringify(STAND_IN)}) });
      const exit = { offset: memory.allocate(16), words: 4 };
      memory.i32(exit.offset, 1)[0] = 2;
      const none = { offset: 0, words: 0 };
      ${act}`;
    const args = ['--input-type=module', '--eval', program];
    const { status, stdout, stderr } = spawnSync(process.execPath, args, {
      timeout: 20_000,
      encoding: 'utf8',
    });
    expect({ status, stderr }).toEqual({ status: 0, stderr: '' });
    expect(stdout).toBe(
      act.includes('exit') ? 'compute thread 1 of 2 died: worker exited with code: 3\n' : '',
    );
  });

  it('can be followed by another pool on the same memory', async () => {
    const memory = new ComputeMemory();
    for (let pool = 0; pool < 3; pool++) {
      const threadPool = await ThreadPool.start({
        memory,
        threads: 2,
        backend: 'wasm',
        platform: nodePlatform(),
      });
      await threadPool.run([{ offset: memory.allocate(4), words: 0 }]);
      await threadPool.stop();
    }
  });

  it('keeps no memory of jobs that are done', async () => {
    const bench = await Bench.of(2);
    const commandBuffer = bench.commandBuffer();
    setFlagsFromString('--expose-gc');
    const collect = runInNewContext('gc') as () => void;
    const used = async (): Promise<number> => {
      for (let i = 0; i < 5000; i++) await bench.threadPool.run([commandBuffer, commandBuffer]);
      collect();
      return process.memoryUsage().heapUsed;
    };
    await used();
    const growth = (await used()) - (await used());
    // 100 bytes kept for each job would be half a million.
    expect(Math.abs(growth)).toBeLessThan(200_000);
  });

  it('needs a thread', async () => {
    const memory = new ComputeMemory();
    await expect(
      ThreadPool.start({ memory, threads: 0, backend: 'auto', platform: nodePlatform() }),
    ).rejects.toThrow('cannot have 0 threads');
  });

  it('passes on what the user can fix when a backend is not available', async () => {
    const started = ThreadPool.start({
      memory: new ComputeMemory(),
      threads: 2,
      backend: 'native',
      platform: nodePlatform(STAND_IN),
    });
    await expect(started).rejects.toThrow(new UserError('the stand-in has no native kernels: use others'));
    await expect(started).rejects.toBeInstanceOf(UserError);
  });

  it('does not start when its entry file is missing', async () => {
    const memory = new ComputeMemory();
    const started = ThreadPool.start({
      memory,
      threads: 1,
      backend: 'wasm',
      platform: nodePlatform('nowhere.js'),
    });
    await expect(started).rejects.toThrow(/compute thread 1 of 1 died: .*nowhere/);
  });

  it('computes the same bits with any number of threads', async () => {
    const results = new Set<number>();
    for (const threads of [1, 2, 7]) results.add(digest(await product(threads)));
    expect(results.size).toBe(1);
    expect(results).not.toContain(digest(new Array(ROWS * COLS).fill(0)));
  });
});

const [ROWS, INNER, COLS] = [21, 37, 19];

/** The bits of a matrix product whose rows are divided between threads with real kernels. */
async function product(threads: number): Promise<number[]> {
  const memory = new ComputeMemory();
  const threadPool = await ThreadPool.start({ memory, threads, backend: 'wasm', platform: nodePlatform() });
  onTestFinished(() => threadPool.stop());
  const matrix = (rows: number, cols: number): number => {
    const offset = memory.allocate(rows * cols * 4);
    memory
      .f32(offset, rows * cols)
      .set(Array.from({ length: rows * cols }, (_, i) => ((i * 7919) % 1013) / 511 - 1));
    return offset;
  };
  const [a, b, out] = [matrix(ROWS, INNER), matrix(INNER, COLS), matrix(ROWS, COLS)];
  const firstRow = (part: number): number => Math.floor((part * ROWS) / threads);
  const commandBuffers = Array.from({ length: threads }, (_, i) => {
    const part = {
      a: a + firstRow(i) * INNER * 4,
      out: out + firstRow(i) * COLS * 4,
      rows: firstRow(i + 1) - firstRow(i),
    };
    const words = new CommandBuffer()
      .emit('matmul', { ...part, b, bias: 0, inner: INNER, cols: COLS, activation: 0 })
      .words();
    const offset = memory.allocate(words.byteLength);
    memory.i32(offset, words.length).set(words);
    return { offset, words: words.length };
  });
  await threadPool.run(commandBuffers);
  expect(threadPool.backend).toMatch(/^wasm/);
  return [...memory.i32(out, ROWS * COLS)];
}
