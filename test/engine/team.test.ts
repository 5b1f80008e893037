import { spawnSync } from 'node:child_process';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { describe, expect, it, onTestFinished } from 'vitest';
import { ComputeMemory } from '../../shared/engine/memory.js';
import { Team } from '../../shared/engine/team.js';
import { UserError } from '../../shared/errors.js';
import { Tape } from '../../shared/kernels/tape.js';
import { Bench, digest, STAND_IN } from './stand-in.js';

describe('a team', () => {
  it('runs a tape on each thread', async () => {
    const bench = await Bench.of(7);
    const out = bench.cells(7);
    const from = bench.cells(7);
    bench.memory.i32(from * 4, 7).set([1, 2, 3, 4, 5, 6, 7]);
    await bench.team.run(Array.from({ length: 7 }, (_, i) => bench.tape(['digest', out + i, from, i])));
    expect(bench.read(out, 7)).toEqual(
      Array.from({ length: 7 }, (_, i) => digest([1, 2, 3, 4, 5, 6, 7].slice(0, i))),
    );
  });

  it('leaves threads alone for which there is no tape', async () => {
    const bench = await Bench.of(3);
    const out = bench.cells(1);
    await bench.team.run([]);
    await bench.team.run([undefined, undefined, undefined]);
    await bench.team.run([undefined, bench.tape(['count', out])]);
    await bench.team.run([bench.tape(['count', out])], 2);
    expect(bench.read(out, 1)).toEqual([2]);
    expect(() => bench.team.run([bench.tape(), bench.tape()], 2)).toThrow('more tapes than threads');
  });

  it('does jobs of different threads at the same time, and jobs that share one in order', async () => {
    const bench = await Bench.of(2);
    const [gate, counts, seen] = [bench.cells(2), bench.cells(2), bench.cells(1)];
    const order: string[] = [];
    const note = (name: string) => () => order.push(name);
    const slow = bench.team.run([bench.tape(['hold', gate, gate + 1], ['count', counts])]).then(note('slow'));
    const both = bench.team.run([bench.tape(['digest', seen, counts, 2]), bench.tape(['count', counts])]);
    const late = bench.team.run([bench.tape(['count', counts + 1])], 1).then(note('late'));
    const jobs = [slow, both.then(note('both')), late];
    await bench.held(gate);
    // The second job's tape for the free thread has not been started either: a job starts on all its threads at once.
    expect(bench.read(counts, 2)).toEqual([0, 0]);
    bench.release(gate + 1);
    await Promise.all(jobs);
    expect(order).toEqual(['slow', 'both', 'late']);
    expect(bench.read(counts, 2)).toEqual([2, 1]);

    const other = bench.cells(2);
    const held = bench.team.run([bench.tape(['hold', other, other + 1])]);
    await bench.team.run([bench.tape(['count', counts])], 1);
    bench.release(other + 1);
    await held;
  });

  it('takes a job for done when it is, and not when it is woken for one before', async () => {
    const bench = await Bench.of(1);
    const [gate, count] = [bench.cells(2), bench.cells(1)];
    let isDone = false;
    const job = bench.team.run([bench.tape(['hold', gate, gate + 1], ['count', count])]).then(() => {
      isDone = true;
    });
    await bench.held(gate);
    // All words in front of the cells, and with them those by which the threads tell that they have finished.
    const words = bench.memory.i32(0, gate);
    let woken = 0;
    for (let i = 0; i < words.length; i++) woken += Atomics.notify(words, i);
    expect(woken).toBeGreaterThan(0);
    // Wakes whoever waits on a word of its own, behind the job's waiter in the engine's queue.
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

  it('shows its threads memory that has grown since they started', async () => {
    const bench = await Bench.of(2);
    for (let round = 0; round < 6; round++) {
      const pages = bench.memory.pages;
      const out = bench.memory.allocate(pages * 65536) / 4 + pages * 16384 - 1;
      expect(bench.memory.pages).toBeGreaterThan(pages);
      await bench.team.run([undefined, bench.tape(['count', out])]);
      expect(bench.read(out, 1)).toEqual([1]);
      const stride = bench.stride(2, () => ({ compute: bench.tape(['count', out]), finish: bench.tape() }));
      await bench.team.stride(stride);
      expect(bench.read(out, 1)).toEqual([5]);
    }
  });

  it('fails with the thread and the cause when a kernel throws, and stays so', async () => {
    const bench = await Bench.of(2);
    const message = 'compute thread 2 of 2 failed: RangeError: the kernel slipped';
    await expect(bench.team.run([bench.tape(), bench.tape(['slip'])])).rejects.toThrow(message);
    await expect(bench.team.run([bench.tape()])).rejects.toThrow(message);
    await bench.team.stop();
    await expect(bench.team.run([bench.tape()])).rejects.toThrow(message);
  });

  it('rejects what other threads are doing when one dies', async () => {
    const bench = await Bench.of(3);
    const gate = bench.cells(2);
    const message = 'compute thread 3 of 3 died: worker exited with code: 3';
    const held = bench.team.run([bench.tape(['hold', gate, gate + 1])]);
    const queued = bench.team.run([bench.tape(['count', gate])]);
    const jobs = [held, queued, bench.team.run([bench.tape(['exit'])], 2)];
    await Promise.all(jobs.map((job) => expect(job).rejects.toThrow(message)));
    expect(bench.read(gate + 1, 1)).toEqual([0]);
  });

  it('stops at any time, any number of times', async () => {
    const bench = await Bench.of(2);
    const gate = bench.cells(2);
    const held = expect(bench.team.run([bench.tape(['hold', gate, gate + 1])])).rejects.toThrow(
      'were stopped',
    );
    await bench.held(gate);
    await Promise.all([bench.team.stop(), bench.team.stop()]);
    await held;
    await bench.team.stop();
    await expect(bench.team.run([bench.tape()])).rejects.toThrow('were stopped');
  });

  it.each([
    ['it stops', 'await team.run([none]); await team.stop();'],
    ['a thread dies', 'await team.run([exit]).catch(({ message }) => console.log(message));'],
  ])('lets the process end when %s', (_, deed) => {
    const program = `
      import { ComputeMemory } from './dist/shared/engine/memory.js';
      import { Team } from './dist/shared/engine/team.js';
      const memory = new ComputeMemory();
      const team = await Team.start({ memory, threads: 2, backend: 'wasm', entry: ${JSON.stringify(STAND_IN)} });
      const exit = { offset: memory.allocate(16), words: 4 };
      memory.i32(exit.offset, 1)[0] = 2;
      const none = { offset: 0, words: 0 };
      ${deed}`;
    const args = ['--input-type=module', '--eval', program];
    const { status, stdout, stderr } = spawnSync(process.execPath, args, {
      timeout: 20_000,
      encoding: 'utf8',
    });
    expect({ status, stderr }).toEqual({ status: 0, stderr: '' });
    expect(stdout).toBe(
      deed.includes('exit') ? 'compute thread 1 of 2 died: worker exited with code: 3\n' : '',
    );
  });

  it('can be followed by another on the same memory', async () => {
    const memory = new ComputeMemory();
    for (let round = 0; round < 3; round++) {
      const team = await Team.start({ memory, threads: 2, backend: 'wasm' });
      await team.run([{ offset: memory.allocate(4), words: 0 }]);
      await team.stop();
    }
  });

  it('does not grow with the jobs that it has done', async () => {
    const bench = await Bench.of(2);
    const tape = bench.tape();
    setFlagsFromString('--expose-gc');
    const collect = runInNewContext('gc') as () => void;
    const used = async (): Promise<number> => {
      for (let i = 0; i < 5000; i++) await bench.team.run([tape, tape]);
      collect();
      return process.memoryUsage().heapUsed;
    };
    await used();
    const growth = (await used()) - (await used());
    // 100 bytes for each job would make half a million.
    expect(Math.abs(growth)).toBeLessThan(200_000);
  });

  it('cannot be empty', async () => {
    const memory = new ComputeMemory();
    await expect(Team.start({ memory, threads: 0, backend: 'auto' })).rejects.toThrow(
      'cannot have 0 threads',
    );
  });

  it('says what the user can mend when the kernels asked for are not there', async () => {
    const started = Team.start({
      memory: new ComputeMemory(),
      threads: 2,
      backend: 'native',
      entry: STAND_IN,
    });
    await expect(started).rejects.toThrow(new UserError('the stand-in has no native kernels: use others'));
    await expect(started).rejects.toBeInstanceOf(UserError);
  });

  it('does not start from a file that is no thread', async () => {
    const memory = new ComputeMemory();
    const started = Team.start({ memory, threads: 1, backend: 'wasm', entry: 'nowhere.js' });
    await expect(started).rejects.toThrow(/compute thread 1 of 1 died: .*nowhere/);
  });

  it('gives the same bits with any number of threads', async () => {
    const results = new Set<number>();
    for (const threads of [1, 2, 7]) results.add(digest(await product(threads)));
    expect(results.size).toBe(1);
    expect(results).not.toContain(digest(new Array(ROWS * COLS).fill(0)));
  });
});

const [ROWS, INNER, COLS] = [21, 37, 19];

/** The bits of a matrix product whose rows are cut between the threads of a real team. */
async function product(threads: number): Promise<number[]> {
  const memory = new ComputeMemory();
  const team = await Team.start({ memory, threads, backend: 'wasm' });
  onTestFinished(() => team.stop());
  const matrix = (rows: number, cols: number): number => {
    const offset = memory.allocate(rows * cols * 4);
    memory
      .f32(offset, rows * cols)
      .set(Array.from({ length: rows * cols }, (_, i) => ((i * 7919) % 1013) / 511 - 1));
    return offset;
  };
  const [a, b, out] = [matrix(ROWS, INNER), matrix(INNER, COLS), matrix(ROWS, COLS)];
  const cut = (part: number): number => Math.floor((part * ROWS) / threads);
  const tapes = Array.from({ length: threads }, (_, i) => {
    const part = { a: a + cut(i) * INNER * 4, out: out + cut(i) * COLS * 4, rows: cut(i + 1) - cut(i) };
    const words = new Tape()
      .emit('matmul', { ...part, b, bias: 0, inner: INNER, cols: COLS, activation: 0 })
      .words();
    const offset = memory.allocate(words.byteLength);
    memory.i32(offset, words.length).set(words);
    return { offset, words: words.length };
  });
  await team.run(tapes);
  expect(team.backend).toMatch(/^wasm/);
  return [...memory.i32(out, ROWS * COLS)];
}
