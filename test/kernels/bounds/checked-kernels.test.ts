import { describe, expect, it, vi } from 'vitest';
import { BOUNDS, type Bound } from '../../../shared/kernels/bounds/bounds.js';
import { CHECK_VARIABLE, checkOffsets } from '../../../shared/kernels/bounds/checked-kernels.js';
import { callsOf, regionsOf } from '../../../shared/kernels/bounds/regions.js';
import {
  CommandBuffer,
  type KernelArguments,
  type KernelName,
} from '../../../shared/kernels/command-buffer.js';
import type { Kernels } from '../../../shared/kernels/kernels.js';
import { loadKernels } from '../../../shared/kernels/load.js';
import { STATIC_BYTES, THREAD_BYTES } from '../../../shared/kernels/memory-map.js';
import { placeTestCase, type TestCase } from '../../../shared/kernels/self-test/test-case.js';
import { KERNEL_TABLE } from '../../../shared/kernels/table.js';

const KERNELS = Object.keys(KERNEL_TABLE) as KernelName[];
const SIZES = [
  { rows: 1, inner: 1, cols: 1 },
  { rows: 5, inner: 19, cols: 10 },
  { rows: 6, inner: 8, cols: 21 },
];
const START = STATIC_BYTES + 1024;

/** Checked kernels that only record their runs, with a memory of 1 MB. */
function open() {
  const memory = new WebAssembly.Memory({ initial: 16, maximum: 16, shared: true });
  const words = new Uint32Array(memory.buffer);
  const runs: number[] = [];
  const idle: Kernels = { backend: 'wasm', detail: 'idle', run: (offset) => void runs.push(offset) };
  const checked = checkOffsets(idle, memory);
  const run = (buffer: CommandBuffer): void => {
    words.set(buffer.words(), STATIC_BYTES / 4);
    checked.run(STATIC_BYTES, buffer.words().length);
  };
  return { memory, words, runs, run };
}

/** A command buffer with one call: the arguments of the test case, some of them replaced. */
function bufferOf(
  kernel: KernelName,
  { args }: TestCase,
  changed: Record<string, number> = {},
): CommandBuffer {
  return new CommandBuffer().emit(kernel, { ...args, ...changed } as KernelArguments<typeof kernel>);
}

describe('bounds', () => {
  it.each(KERNELS)('of %s are the buffers of its test vectors', (kernel) => {
    const { words } = open();
    for (const size of SIZES) {
      const { args, buffers } = placeTestCase(kernel, size, 'ordinary', words, START);
      for (const { name, offset, bytes } of regionsOf({ kernel, args }, words)) {
        const buffer = buffers.find(
          (placed) => offset >= placed.offset && offset + bytes <= placed.offset + placed.words * 4,
        );
        expect(buffer, `${name} at ${offset}`).toBeDefined();
      }
      const bounds = BOUNDS[kernel](args as never) as Record<string, Bound>;
      for (const { name, words: count } of buffers) {
        // Which parts of tables and data a gather reads depends on the samples.
        if (!(name in bounds) || name === 'chunkTable') continue;
        const bound = bounds[name]!;
        expect(typeof bound === 'number' ? bound : bound.orNone, name).toBe(count);
      }
    }
  });

  it('cover every sample that a gather reads, and no more', () => {
    const { words } = open();
    for (const kernel of ['gatherU8', 'gatherU8AsI32', 'gatherWords'] as const) {
      const { args } = placeTestCase(kernel, SIZES[1]!, 'ordinary', words, START);
      const samples = [...regionsOf({ kernel, args }, words)].filter(({ name }) => name.startsWith('sample'));
      const elementBytes = kernel === 'gatherWords' ? 4 : 1;
      expect(samples.map(({ bytes }) => bytes)).toEqual(Array(5).fill(10 * elementBytes));
      // The order is (2 + 5i) % 8; the batch starts at its position 1 + 1.
      expect(samples.map(({ name }) => name)).toEqual([4, 1, 6, 3, 0].map((id) => `sample ${id}`));
    }
  });
});

describe('checked kernels', () => {
  it.each(KERNELS)('run %s unchanged, and refuse offsets outside of the memory', (kernel) => {
    const { memory, words, runs, run } = open();
    const testCase = placeTestCase(kernel, SIZES[1]!, 'ordinary', words, START);
    run(bufferOf(kernel, testCase));
    expect(runs).toEqual([STATIC_BYTES]);
    for (const { name, words: count } of testCase.buffers) {
      if (!(name in testCase.args) || name === 'chunkTable') continue;
      const last = memory.buffer.byteLength - count * 4;
      // A cursor at the end of the memory contains no valid offset.
      if (name !== 'cursor') run(bufferOf(kernel, testCase, { [name]: last }));
      const before = runs.length;
      expect(() => run(bufferOf(kernel, testCase, { [name]: last + 4 })), name).toThrow(
        `${kernel}: ${name} at ${last + 4}, ${count * 4} bytes: outside of the memory of 1048576 bytes`,
      );
      expect(() => run(bufferOf(kernel, testCase, { [name]: last - 2 })), name).toThrow(
        'not a multiple of 4',
      );
      expect(() => run(bufferOf(kernel, testCase, { [name]: STATIC_BYTES - 4 })), name).toThrow(
        'constants of the wasm build',
      );
      expect(runs.length).toBe(before);
    }
  });

  it('accept offset 0 for a missing bias, and for no other argument', () => {
    const { words, run } = open();
    const testCase = placeTestCase('matmul', SIZES[1]!, 'ordinary', words, START);
    run(bufferOf('matmul', testCase, { bias: 0 }));
    expect(() => run(bufferOf('matmul', testCase, { a: 0 }))).toThrow(
      'matmul: a at 0, 380 bytes: inside the constants of the wasm build',
    );
  });

  it('refuse a negative size', () => {
    const { words, run } = open();
    const testCase = placeTestCase('fill', SIZES[1]!, 'ordinary', words, START);
    expect(() => run(bufferOf('fill', testCase, { n: -1 }))).toThrow('fill: out at');
  });

  it('check the order, the chunks and the samples of a gather', () => {
    const { memory, words, run } = open();
    const testCase = placeTestCase('gatherWords', SIZES[1]!, 'ordinary', words, START);
    const cursor = testCase.args.cursor! / 4;
    const order = words[cursor]!;
    const refuse = (at: number, word: number, message: string): void => {
      const was = words[at]!;
      words[at] = word;
      expect(() => run(bufferOf('gatherWords', testCase))).toThrow(message);
      words[at] = was;
    };
    refuse(cursor, memory.buffer.byteLength - 24, 'gatherWords: cursor: order at 1048560, 20 bytes: outside');
    refuse(cursor + 1, 2 ** 30, 'cursor: order at');
    refuse(order / 4 + 2, 2 ** 31, `chunkTable[${2 ** 29}] at`);
    refuse(testCase.args.chunkTable! / 4, memory.buffer.byteLength - 8, 'sample 1 at');
    run(bufferOf('gatherWords', testCase));
  });

  it('check every call before the first one runs', () => {
    const { words, runs, run } = open();
    const testCase = placeTestCase('fill', SIZES[1]!, 'ordinary', words, START);
    const { args } = testCase as unknown as { args: KernelArguments<'fill'> };
    const good = new CommandBuffer().emit('fill', args).emit('fill', args);
    run(good);
    expect(() => run(good.emit('fill', { ...args, out: 0 }))).toThrow('fill: out at 0');
    expect(runs).toHaveLength(1);
  });
});

describe('loadKernels', () => {
  it('checks offsets when the environment variable is set', async () => {
    const stackTop = STATIC_BYTES + THREAD_BYTES;
    const memory = new WebAssembly.Memory({ initial: 16, maximum: 16, shared: true });
    // n = 0: nothing is written when it runs.
    const words = new CommandBuffer().emit('fill', { out: 2 ** 20 + 64, n: 0, value: 1 }).words();
    new Int32Array(memory.buffer).set(words, stackTop / 4);
    const load = () => loadKernels({ memory, backend: 'wasm-exact', stackTop });
    vi.stubEnv(CHECK_VARIABLE, '');
    (await load()).run(stackTop, words.length);
    vi.stubEnv(CHECK_VARIABLE, '1');
    const checked = await load();
    vi.unstubAllEnvs();
    expect(() => checked.run(stackTop, words.length)).toThrow('fill: out at 1048640');
  });
});

describe('callsOf', () => {
  it('yields the calls of a command buffer, up to the first incomplete or unknown one', () => {
    const args = { out: 2 ** 31 + 64, n: -5, value: 1.5 };
    const words = new CommandBuffer()
      .emit('fill', args)
      .emit('copyVector', { out: 128, a: 64, n: 3 })
      .words();
    const calls = [...callsOf(words)];
    expect(calls.map(({ kernel }) => kernel)).toEqual(['fill', 'copyVector']);
    expect(calls[0]!.args).toMatchObject({ out: 2 ** 31 + 64, n: -5 });
    expect(calls[1]!.args).toEqual({ out: 128, a: 64, n: 3 });
    expect([...callsOf(words.subarray(0, words.length - 1))]).toHaveLength(1);
    expect([...callsOf(Int32Array.of(9999, 1, 2, 3))]).toHaveLength(0);
  });
});
