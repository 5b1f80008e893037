import { readFile } from 'node:fs/promises';
import { Worker } from 'node:worker_threads';
import { describe, expect, it } from 'vitest';
import { AssertionError } from '../../shared/errors.js';
import { loadKernels } from '../../shared/kernels/load.js';
import { STATIC_BYTES, THREAD_BYTES } from '../../shared/kernels/memory-map.js';
import { Tape } from '../../shared/kernels/tape.js';
import { loadWasm } from '../../shared/kernels/wasm-kernels.js';

const HEAP = STATIC_BYTES + THREAD_BYTES;

function newMemory() {
  return new WebAssembly.Memory({ initial: 64, maximum: 65536, shared: true });
}

/** Writes a tape behind the heap's start and gives its place. */
function place(memory: WebAssembly.Memory, tape: Tape, at = HEAP) {
  const words = tape.words();
  new Int32Array(memory.buffer, at, words.length).set(words);
  return [at, words.length] as const;
}

/** [1, 2] times [[3], [4]] plus 5, of which the result lies at HEAP + 1024 + 128. */
function smallProduct(memory: WebAssembly.Memory) {
  const at = HEAP + 1024;
  new Float32Array(memory.buffer, at, 5).set([1, 2, 3, 4, 5]);
  const tape = new Tape();
  tape.emit('matmul', {
    a: at,
    b: at + 8,
    bias: at + 16,
    out: at + 128,
    rows: 1,
    inner: 2,
    cols: 1,
    activation: 0,
  });
  return { tape, out: new Float32Array(memory.buffer, at + 128, 1) };
}

describe('loadKernels', () => {
  for (const backend of ['auto', 'wasm', 'wasm-exact'] as const) {
    it(`runs a tape on ${backend}`, async () => {
      const memory = newMemory();
      const kernels = await loadKernels({ memory, backend, stackTop: HEAP });
      const { tape, out } = smallProduct(memory);
      kernels.run(...place(memory, tape));
      expect(out[0]).toBe(16);
    });
  }

  it('names what it runs on', async () => {
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

  it('names the word at which a tape goes wrong', async () => {
    const memory = newMemory();
    const kernels = await loadKernels({ memory, backend: 'wasm', stackTop: HEAP });
    const { tape } = smallProduct(memory);
    const [at, words] = place(memory, tape);
    expect(() => kernels.run(at, words - 1)).toThrow(/at word 0/);
    new Int32Array(memory.buffer, at + words * 4, 1)[0] = 9999;
    expect(() => kernels.run(at, words + 1)).toThrow(`at word ${words}`);
  });
});
