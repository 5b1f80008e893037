/*
 * The self-test that a worker must pass before it joins: on fixed inputs every kernel gives the same bits on all machines.
 * The inputs are computed from counters and cover ordinary, subnormal, tiny and huge numbers and arbitrary bit patterns. A
 * processor that rounds differently, flushes subnormals or multiplies wrongly is detected, and the kernel is named.
 */
import { concatenated } from '../../concatenated.js';
import { assert } from '../../errors.js';
import { CommandBuffer, type KernelArguments, type KernelName } from '../command-buffer.js';
import type { Kernels } from '../kernels.js';
import { KERNEL_TABLE } from '../table.js';
import { EXPECTED_HASHES } from './self-test-hashes.js';
import { placeTestCase, type TestCase } from './test-case.js';
import type { Size } from './test-vector.js';
import { VALUE_KINDS, type ValueKind } from './values.js';

/** Bytes of memory that a self-test needs. */
export const SELF_TEST_BYTES = 128 * 1024;

/** The result of one kernel. */
export interface KernelHash {
  readonly kernel: string;
  /** SHA-256 over the outputs of all its calls, NaN canonicalised; lower-case hexadecimal. */
  readonly hash: string;
}

const SMALL: Size = { rows: 5, inner: 19, cols: 10 };
/** Large enough for the packed paths of products, and for many vectors with a tail. */
const LARGE: Size = { rows: 57, inner: 67, cols: 33 };

const TEST_CASES: readonly { size: Size; kind: ValueKind }[] = [
  ...VALUE_KINDS.map((kind) => ({ size: SMALL, kind })),
  { size: LARGE, kind: 'ordinary' },
];

/** Bytes for the command buffer, before the test case. */
const COMMAND_BUFFER_BYTES = 256;

/**
 * Runs every kernel and hashes its outputs.
 * @param memory the memory that `kernels` were loaded with
 * @param scratch byte offset of SELF_TEST_BYTES in it that are not in use, a multiple of 64; they are overwritten
 * @param sha256Hex SHA-256 of bytes, lower-case hexadecimal: that of the platform, as browsers have no synchronous one
 */
export function runSelfTest(
  kernels: Kernels,
  memory: WebAssembly.Memory,
  scratch: number,
  sha256Hex: (bytes: Uint8Array) => string,
): KernelHash[] {
  const words = new Uint32Array(memory.buffer);
  return (Object.keys(KERNEL_TABLE) as KernelName[]).map((kernel) => {
    const results = TEST_CASES.map(({ size, kind }) => {
      const testCase = placeTestCase(kernel, size, kind, words, scratch + COMMAND_BUFFER_BYTES);
      assert(testCase.end <= scratch + SELF_TEST_BYTES, `the self-test of ${kernel} needs more memory`);
      const call = new CommandBuffer().emit(kernel, testCase.args as KernelArguments<typeof kernel>).words();
      words.set(call, scratch >>> 2);
      kernels.run(scratch, call.length);
      return outputsOf(testCase, words);
    });
    return { kernel, hash: sha256Hex(new Uint8Array(concatenated(Uint32Array, results.flat()).buffer)) };
  });
}

/** The first kernel whose hash is missing or differs from the expected one; undefined when all are equal. */
export function firstMismatch(results: readonly KernelHash[]): string | undefined {
  const given = new Map(results.map(({ kernel, hash }) => [kernel, hash]));
  return Object.entries(EXPECTED_HASHES).find(([kernel, hash]) => given.get(kernel) !== hash)?.[0];
}

/** Copies of the outputs of a test case, with NaN canonicalised. */
function outputsOf({ buffers }: TestCase, words: Uint32Array): Uint32Array[] {
  return buffers
    .filter(({ isOutput }) => isOutput)
    .map(({ offset, words: count }) => {
      const at = offset >>> 2;
      const output = words.slice(at, at + count);
      for (let i = 0; i < count; i++)
        if (((output[i] as number) & 0x7fffffff) > 0x7f800000) output[i] = 0x7fc00000;
      return output;
    });
}
