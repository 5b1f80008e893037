/*
 * What a node proves before it may work: every kernel, on fixed inputs, gives the bits that all machines agree on. The
 * inputs come from counters and cover ordinary, subnormal, tiny and huge numbers and every bit pattern; a processor
 * that rounds otherwise, flushes subnormals or multiplies wrongly shows here, by the name of the kernel.
 */
import { assert } from '../errors.js';
import type { Kernels } from './kernels.js';
import { EXPECTED_HASHES } from './self-test-hashes.js';
import { sha256OfWords } from './sha256.js';
import type { Size } from './specimen.js';
import { KERNEL_TABLE } from './table.js';
import { type KernelArguments, type KernelName, Tape } from './tape.js';
import { layOut, type Trial } from './trial.js';
import { VALUE_KINDS, type ValueKind } from './values.js';

/** Bytes of memory that a self-test works in. */
export const SELF_TEST_BYTES = 128 * 1024;

/** What one kernel made of its inputs. */
export interface KernelHash {
  readonly kernel: string;
  /** SHA-256 over the outputs of all its calls, NaN canonicalised; lower-case hexadecimal. */
  readonly hash: string;
}

const SMALL: Size = { rows: 5, inner: 19, cols: 10 };
/** Reaches the packed paths of products, and many vectors with a tail. */
const LARGE: Size = { rows: 57, inner: 67, cols: 33 };

const TRIALS: readonly { size: Size; kind: ValueKind }[] = [
  ...VALUE_KINDS.map((kind) => ({ size: SMALL, kind })),
  { size: LARGE, kind: 'ordinary' },
];

/** Bytes kept for the tape, in front of the trial. */
const TAPE_BYTES = 256;

/**
 * Runs every kernel and hashes what it gives.
 * @param memory the one that `kernels` were loaded with
 * @param scratch byte offset of SELF_TEST_BYTES in it that nobody uses meanwhile, a multiple of 64
 */
export function runSelfTest(kernels: Kernels, memory: WebAssembly.Memory, scratch: number): KernelHash[] {
  const words = new Uint32Array(memory.buffer);
  return (Object.keys(KERNEL_TABLE) as KernelName[]).map((kernel) => {
    const results = TRIALS.map(({ size, kind }) => {
      const trial = layOut(kernel, size, kind, words, scratch + TAPE_BYTES);
      assert(trial.end <= scratch + SELF_TEST_BYTES, `the self-test of ${kernel} needs more memory`);
      const tape = new Tape().emit(kernel, trial.args as KernelArguments<typeof kernel>).words();
      words.set(tape, scratch >>> 2);
      kernels.run(scratch, tape.length);
      return outputsOf(trial, words);
    });
    return { kernel, hash: sha256OfWords(joined(results.flat())) };
  });
}

/**
 * The first kernel whose hash is missing or differs from what all machines must have; undefined when all agree.
 */
export function firstMismatch(results: readonly KernelHash[]): string | undefined {
  const given = new Map(results.map(({ kernel, hash }) => [kernel, hash]));
  return Object.entries(EXPECTED_HASHES).find(([kernel, hash]) => given.get(kernel) !== hash)?.[0];
}

/** Copies of a trial's outputs, with one NaN for all. */
function outputsOf({ buffers }: Trial, words: Uint32Array): Uint32Array[] {
  return buffers
    .filter(({ isOutput }) => isOutput)
    .map(({ offset, words: count }) => {
      const at = offset >>> 2;
      return words
        .slice(at, at + count)
        .map((word) => ((word & 0x7fffffff) > 0x7f800000 ? 0x7fc00000 : word));
    });
}

function joined(parts: readonly Uint32Array[]): Uint32Array {
  const all = new Uint32Array(parts.reduce((sum, { length }) => sum + length, 0));
  let at = 0;
  for (const part of parts) {
    all.set(part, at);
    at += part.length;
  }
  return all;
}
