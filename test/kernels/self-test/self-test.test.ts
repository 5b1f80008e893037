import { describe, expect, it } from 'vitest';
import { sha256Hex } from '../../../shared/files/sha256.js';
import type { Kernels } from '../../../shared/kernels/kernels.js';
import { STATIC_BYTES, THREAD_BYTES } from '../../../shared/kernels/memory-map.js';
import { firstMismatch, runSelfTest, SELF_TEST_BYTES } from '../../../shared/kernels/self-test/self-test.js';
import { KERNEL_TABLE } from '../../../shared/kernels/table.js';
import { buildNames, loadBuild } from '../workbench.js';

const stackTop = STATIC_BYTES + THREAD_BYTES;
const GUARD = 0x5a;

async function open(build: string) {
  const pages = Math.ceil((stackTop + SELF_TEST_BYTES) / 65536) + 1;
  const memory = new WebAssembly.Memory({ initial: pages, maximum: 65536, shared: true });
  return { memory, kernels: await loadBuild(build, { memory, stackTop }) };
}

describe('the self-test', () => {
  it.each(buildNames())('passes on %s, within its scratch memory', async (build) => {
    const { memory, kernels } = await open(build);
    const guard = new Uint8Array(memory.buffer, stackTop + SELF_TEST_BYTES).fill(GUARD);
    expect(firstMismatch(runSelfTest(kernels, memory, stackTop, sha256Hex))).toBeUndefined();
    expect(guard.every((byte) => byte === GUARD)).toBe(true);
  });

  it('names the kernel that a machine computes wrongly', async () => {
    const { memory, kernels } = await open('wasm');
    const opcode = KERNEL_TABLE.adamUpdate.opcode;
    const words = new Int32Array(memory.buffer);
    const faulty: Kernels = {
      ...kernels,
      run(offset, length) {
        kernels.run(offset, length);
        // Flips one bit of the first updated weight.
        if (words[offset / 4] === opcode) words[words[offset / 4 + 1]! / 4]! ^= 1;
      },
    };
    expect(firstMismatch(runSelfTest(faulty, memory, stackTop, sha256Hex))).toBe('adamUpdate');
  });

  it('covers every kernel', async () => {
    const { memory, kernels } = await open('wasm');
    const results = runSelfTest(kernels, memory, stackTop, sha256Hex);
    expect(results.map(({ kernel }) => kernel)).toEqual(Object.keys(KERNEL_TABLE));
    expect(firstMismatch(results.filter(({ kernel }) => kernel !== 'matmul'))).toBe('matmul');
    expect(firstMismatch([])).toBeDefined();
  });
});
