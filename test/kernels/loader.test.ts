import { readFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { Worker } from 'node:worker_threads';
import { describe, expect, it, vi } from 'vitest';
import { AssertionError } from '../../shared/errors.js';
import { CommandBuffer } from '../../shared/kernels/command-buffer.js';
import { loadKernels } from '../../shared/kernels/load.js';
import { STATIC_BYTES, THREAD_BYTES } from '../../shared/kernels/memory-map.js';
import { loadWasm } from '../../shared/kernels/wasm-kernels.js';

const HEAP = STATIC_BYTES + THREAD_BYTES;

function newMemory() {
  return new WebAssembly.Memory({ initial: 64, maximum: 65536, shared: true });
}

/** Copies a command buffer into the memory and returns the arguments for `run`. */
function stored(memory: WebAssembly.Memory, commandBuffer: CommandBuffer, at = HEAP) {
  const words = commandBuffer.words();
  new Int32Array(memory.buffer, at, words.length).set(words);
  return [at, words.length] as const;
}

/** [1, 2] times [[3], [4]] plus 5; the result is at HEAP + 1024 + 128. */
function smallProduct(memory: WebAssembly.Memory) {
  const at = HEAP + 1024;
  new Float32Array(memory.buffer, at, 5).set([1, 2, 3, 4, 5]);
  const commandBuffer = new CommandBuffer();
  commandBuffer.emit('matmul', {
    a: at,
    b: at + 8,
    bias: at + 16,
    out: at + 128,
    rows: 1,
    inner: 2,
    cols: 1,
    activation: 0,
  });
  return { commandBuffer, out: new Float32Array(memory.buffer, at + 128, 1) };
}

describe('loadKernels', () => {
  for (const backend of ['auto', 'wasm', 'wasm-exact'] as const) {
    it(`runs a command buffer on ${backend}`, async () => {
      const memory = newMemory();
      const kernels = await loadKernels({ memory, backend, stackTop: HEAP });
      const { commandBuffer, out } = smallProduct(memory);
      kernels.run(...stored(memory, commandBuffer));
      expect(out[0]).toBe(16);
    });
  }

  it('reports the backend and its detail', async () => {
    const kernels = await loadKernels({ memory: newMemory(), backend: 'wasm-exact', stackTop: HEAP });
    expect([kernels.backend, kernels.detail]).toEqual(['wasm-exact', 'simd']);
  });

  it('refuses a stack that does not fit', async () => {
    for (const stackTop of [HEAP - 64, HEAP + 4, 64 * 65536 + 64]) {
      await expect(loadKernels({ memory: newMemory(), backend: 'wasm', stackTop })).rejects.toThrow(
        AssertionError,
      );
    }
  });

  it('names the word of the command buffer that is invalid', async () => {
    const memory = newMemory();
    const kernels = await loadKernels({ memory, backend: 'wasm', stackTop: HEAP });
    const { commandBuffer } = smallProduct(memory);
    const [at, words] = stored(memory, commandBuffer);
    expect(() => kernels.run(at, words - 1)).toThrow(/at word 0/);
    new Int32Array(memory.buffer, at + words * 4, 1)[0] = 9999;
    expect(() => kernels.run(at, words + 1)).toThrow(`at word ${words}`);
  });
});

describe('loadWasm', () => {
  const read = (build: string) =>
    readFile(new URL(`../../shared/kernels/wasm/${build}.wasm`, import.meta.url));

  it('falls back to the exact build and reports why where the engine has no relaxed SIMD', async () => {
    const validate = vi.spyOn(WebAssembly, 'validate').mockReturnValue(false);
    const kernels = await loadWasm(read, 'wasm', { memory: newMemory(), stackTop: HEAP });
    validate.mockRestore();
    expect([kernels.backend, kernels.detail]).toEqual([
      'wasm-exact',
      'simd (the engine has no relaxed SIMD)',
    ]);
  });

  it('falls back where the fused multiply-add rounds twice', async () => {
    // A processor that does not fuse is imitated: the check of the build reports 0.
    const instantiate = WebAssembly.instantiate as unknown as (
      module: WebAssembly.Module,
      imports: WebAssembly.Imports,
    ) => Promise<WebAssembly.Instance>;
    const spy = vi.spyOn(WebAssembly, 'instantiate') as unknown as {
      mockImplementationOnce(f: typeof instantiate): void;
      mockRestore(): void;
    };
    spy.mockImplementationOnce(async (module, imports) => {
      const { exports } = await instantiate(module, imports);
      return { exports: { ...exports, fused: () => 0 } };
    });
    const kernels = await loadWasm(read, 'wasm', { memory: newMemory(), stackTop: HEAP });
    spy.mockRestore();
    expect(kernels.detail).toBe('simd (relaxed SIMD is not fused on this processor)');
  });
});

describe('threads', () => {
  it('run the same kernels on one memory at the same time, each with its own stack and workspace', async () => {
    const memory = newMemory();
    const size = 64;
    const [a, b, out] = [HEAP * 3, HEAP * 3 + 65536, HEAP * 3 + 2 * 65536];
    const values = Float32Array.from({ length: size * size }, (_, i) => Math.fround(Math.sin(i)));
    new Float32Array(memory.buffer, a, values.length).set(values);
    new Float32Array(memory.buffer, b, values.length).set(values);
    const threads = [0, 1].map((thread) => {
      const commandBuffer = new CommandBuffer();
      const product = out + thread * 65536;
      for (let i = 0; i < 50; i++) {
        commandBuffer.emit('matmulTransposedB', { a, b, out: product, rows: size, inner: size, cols: size });
        commandBuffer.emit('matmul', {
          a,
          b,
          bias: 0,
          out: product,
          rows: size,
          inner: size,
          cols: size,
          activation: 0,
        });
      }
      return {
        memory,
        stackTop: HEAP + thread * THREAD_BYTES,
        words: commandBuffer.words(),
        at: out + (2 + thread) * 65536,
      };
    });
    await Promise.all(threads.map(runInThread));
    const results = [0, 1].map(
      (thread) => new Float32Array(memory.buffer, out + thread * 65536, size * size),
    );
    expect(results[0]).toEqual(results[1]);
    expect(results[0]![0]).not.toBe(0);
  });
});

/** Runs a command buffer in a worker thread, on the relaxed wasm build. */
function runInThread(thread: object): Promise<void> {
  const source = `
    const { workerData } = require('node:worker_threads');
    const { readFileSync } = require('node:fs');
    require('node:v8').setFlagsFromString('--experimental-wasm-relaxed-simd');
    const { memory, stackTop, words, at, file, threadBytes } = workerData;
    const { exports } = new WebAssembly.Instance(new WebAssembly.Module(readFileSync(file)), { env: { memory } });
    exports.__stack_pointer.value = stackTop;
    new Int32Array(memory.buffer, at, words.length).set(words);
    if (exports.run(at, words.length, stackTop - threadBytes) !== 0) throw new Error('bad command buffer');`;
  const file = fileURLToPath(new URL('../../shared/kernels/wasm/relaxed.wasm', import.meta.url));
  const worker = new Worker(source, {
    eval: true,
    workerData: { ...thread, file, threadBytes: THREAD_BYTES },
  });
  return new Promise((resolve, reject) => worker.once('error', reject).once('exit', () => resolve()));
}
