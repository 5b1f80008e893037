import { describe, expect, it, vi } from 'vitest';
import { CHECK_VARIABLE, checkOffsets } from '../../shared/kernels/checked-kernels.js';
import { EXTENTS, type Extent } from '../../shared/kernels/extents.js';
import type { Kernels } from '../../shared/kernels/kernels.js';
import { loadKernels } from '../../shared/kernels/load.js';
import { STATIC_BYTES, THREAD_BYTES } from '../../shared/kernels/memory-map.js';
import { callsOf, regionsOf } from '../../shared/kernels/regions.js';
import { KERNEL_TABLE } from '../../shared/kernels/table.js';
import { type KernelArguments, type KernelName, Tape } from '../../shared/kernels/tape.js';
import { layOut, type Trial } from '../../shared/kernels/trial.js';

const KERNELS = Object.keys(KERNEL_TABLE) as KernelName[];
const SIZES = [
  { rows: 1, inner: 1, cols: 1 },
  { rows: 5, inner: 19, cols: 10 },
  { rows: 6, inner: 8, cols: 21 },
];
const START = STATIC_BYTES + 1024;

/** Kernels that only count how often they run, behind the checks, with a memory of 1 MB. */
function open() {
  const memory = new WebAssembly.Memory({ initial: 16, maximum: 16, shared: true });
  const words = new Uint32Array(memory.buffer);
  const runs: number[] = [];
  const idle: Kernels = { backend: 'wasm', detail: 'idle', run: (offset) => void runs.push(offset) };
  const checked = checkOffsets(idle, memory);
  const run = (tape: Tape): void => {
    words.set(tape.words(), STATIC_BYTES / 4);
    checked.run(STATIC_BYTES, tape.words().length);
  };
  return { memory, words, runs, run };
}

/** A tape of one call, with some of the trial's arguments replaced. */
function tapeOf(kernel: KernelName, { args }: Trial, changed: Record<string, number> = {}): Tape {
  return new Tape().emit(kernel, { ...args, ...changed } as KernelArguments<typeof kernel>);
}

describe('extents', () => {
  it.each(KERNELS)('of %s are the buffers of its specimens', (kernel) => {
    const { words } = open();
    for (const size of SIZES) {
      const { args, buffers } = layOut(kernel, size, 'ordinary', words, START);
      for (const { name, offset, bytes } of regionsOf({ kernel, args }, words)) {
        const buffer = buffers.find(
          (place) => offset >= place.offset && offset + bytes <= place.offset + place.words * 4,
        );
        expect(buffer, `${name} at ${offset}`).toBeDefined();
      }
      const extents = EXTENTS[kernel](args as never) as Record<string, Extent>;
      for (const { name, words: wanted } of buffers) {
        // What a gather reads of tables and data depends on the samples.
        if (!(name in extents) || name === 'chunkTable') continue;
        const extent = extents[name]!;
        expect(typeof extent === 'number' ? extent : extent.orNone, name).toBe(wanted);
      }
    }
  });

  it('cover every sample that a gather reads, and no more', () => {
    const { words } = open();
    for (const kernel of ['gatherU8', 'gatherU8AsI32', 'gatherWords'] as const) {
      const { args } = layOut(kernel, SIZES[1]!, 'ordinary', words, START);
      const samples = [...regionsOf({ kernel, args }, words)].filter(({ name }) => name.startsWith('sample'));
      const elementBytes = kernel === 'gatherWords' ? 4 : 1;
      expect(samples.map(({ bytes }) => bytes)).toEqual(Array(5).fill(10 * elementBytes));
      // The order is 2 + 5i of 8 samples; the batch begins at its place 1 + 1.
      expect(samples.map(({ name }) => name)).toEqual([4, 1, 6, 3, 0].map((id) => `sample ${id}`));
    }
  });
});

describe('checked kernels', () => {
  it.each(KERNELS)('run %s as it is, and not when an offset leads out of the memory', (kernel) => {
    const { memory, words, runs, run } = open();
    const trial = layOut(kernel, SIZES[1]!, 'ordinary', words, START);
    run(tapeOf(kernel, trial));
    expect(runs).toEqual([STATIC_BYTES]);
    for (const { name, words: count } of trial.buffers) {
      if (!(name in trial.args) || name === 'chunkTable') continue;
      const last = memory.buffer.byteLength - count * 4;
      // A cursor at the end of the memory points nowhere.
      if (name !== 'cursor') run(tapeOf(kernel, trial, { [name]: last }));
      const before = runs.length;
      expect(() => run(tapeOf(kernel, trial, { [name]: last + 4 })), name).toThrow(
        `${kernel}: ${name} at ${last + 4}, ${count * 4} bytes: outside of the memory of 1048576 bytes`,
      );
      expect(() => run(tapeOf(kernel, trial, { [name]: last - 2 })), name).toThrow('not a multiple of 4');
      expect(() => run(tapeOf(kernel, trial, { [name]: STATIC_BYTES - 4 })), name).toThrow(
        "wasm build's own",
      );
      expect(runs.length).toBe(before);
    }
  });

  it('take 0 for a bias that there is not, and for nothing else', () => {
    const { words, run } = open();
    const trial = layOut('matmul', SIZES[1]!, 'ordinary', words, START);
    run(tapeOf('matmul', trial, { bias: 0 }));
    expect(() => run(tapeOf('matmul', trial, { a: 0 }))).toThrow(
      "matmul: a at 0, 380 bytes: inside the wasm build's own",
    );
  });

  it('refuse a shape that is no size', () => {
    const { words, run } = open();
    const trial = layOut('fill', SIZES[1]!, 'ordinary', words, START);
    expect(() => run(tapeOf('fill', trial, { n: -1 }))).toThrow('fill: out at');
  });

  it('follow a gather to its order, its chunks and its samples', () => {
    const { memory, words, run } = open();
    const trial = layOut('gatherWords', SIZES[1]!, 'ordinary', words, START);
    const cursor = trial.args.cursor! / 4;
    const order = words[cursor]!;
    const refuse = (at: number, word: number, message: string): void => {
      const was = words[at]!;
      words[at] = word;
      expect(() => run(tapeOf('gatherWords', trial))).toThrow(message);
      words[at] = was;
    };
    refuse(cursor, memory.buffer.byteLength - 24, 'gatherWords: cursor: order at 1048560, 20 bytes: outside');
    refuse(cursor + 1, 2 ** 30, 'cursor: order at');
    refuse(order / 4 + 2, 2 ** 31, `chunkTable[${2 ** 29}] at`);
    refuse(trial.args.chunkTable! / 4, memory.buffer.byteLength - 8, 'sample 1 at');
    run(tapeOf('gatherWords', trial));
  });

  it('look at every call before the first one runs', () => {
    const { words, runs, run } = open();
    const trial = layOut('fill', SIZES[1]!, 'ordinary', words, START);
    const { args } = trial as unknown as { args: KernelArguments<'fill'> };
    const good = new Tape().emit('fill', args).emit('fill', args);
    run(good);
    expect(() => run(good.emit('fill', { ...args, out: 0 }))).toThrow('fill: out at 0');
    expect(runs).toHaveLength(1);
  });
});

describe('loadKernels', () => {
  it('checks offsets when the environment asks for it', async () => {
    const stackTop = STATIC_BYTES + THREAD_BYTES;
    const memory = new WebAssembly.Memory({ initial: 16, maximum: 16, shared: true });
    // Harmless when it runs: nothing is written.
    const tape = new Tape().emit('fill', { out: 2 ** 20 + 64, n: 0, value: 1 }).words();
    new Int32Array(memory.buffer).set(tape, stackTop / 4);
    const load = () => loadKernels({ memory, backend: 'wasm-exact', stackTop });
    vi.stubEnv(CHECK_VARIABLE, '');
    (await load()).run(stackTop, tape.length);
    vi.stubEnv(CHECK_VARIABLE, '1');
    const checked = await load();
    vi.unstubAllEnvs();
    expect(() => checked.run(stackTop, tape.length)).toThrow('fill: out at 1048640');
  });
});

describe('callsOf', () => {
  it('gives the calls of a tape, up to the first that is not whole or not known', () => {
    const args = { out: 2 ** 31 + 64, n: -5, value: 1.5 };
    const words = new Tape().emit('fill', args).emit('copyVector', { out: 128, a: 64, n: 3 }).words();
    const calls = [...callsOf(words)];
    expect(calls.map(({ kernel }) => kernel)).toEqual(['fill', 'copyVector']);
    expect(calls[0]!.args).toMatchObject({ out: 2 ** 31 + 64, n: -5 });
    expect(calls[1]!.args).toEqual({ out: 128, a: 64, n: 3 });
    expect([...callsOf(words.subarray(0, words.length - 1))]).toHaveLength(1);
    expect([...callsOf(Int32Array.of(9999, 1, 2, 3))]).toHaveLength(0);
  });
});
