import { createHash } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import type { KernelName } from '../../shared/kernels/command-buffer.js';
import { GUARD, placeTestCase, type TestCase } from '../../shared/kernels/self-test/test-case.js';
import type { Size } from '../../shared/kernels/self-test/test-vector.js';
import { VALUE_KINDS, type ValueKind } from '../../shared/kernels/self-test/values.js';
import { KERNEL_TABLE } from '../../shared/kernels/table.js';
import { deviation } from './expected.js';
import { REFERENCE } from './reference.js';
import { allBuilds, callOf, outputsOf, START, type TestBuild, wordAt } from './test-cases.js';

const KERNELS = Object.keys(KERNEL_TABLE) as KernelName[];

/** Every tail of a vector of sixteen lanes, then primes and more than one vector. */
const SIZES: Size[] = [
  ...[...Array(17).keys()].map((i) => ({ rows: 3 - (i % 2), inner: 4 + (i % 3), cols: i + 1 })),
  { rows: 1, inner: 1, cols: 1 },
  { rows: 7, inner: 13, cols: 31 },
  { rows: 2, inner: 9, cols: 33 },
  { rows: 13, inner: 6, cols: 64 },
  { rows: 17, inner: 16, cols: 65 },
  { rows: 4, inner: 29, cols: 127 },
  { rows: 33, inner: 10, cols: 10 },
];

/** Outputs that may be inputs: kernel, output, input. */
const IN_PLACE: readonly (readonly [KernelName, string, string])[] = [
  ['addVectors', 'out', 'a'],
  ['addVectors', 'out', 'b'],
  ['subtractVectors', 'out', 'a'],
  ['subtractVectors', 'out', 'b'],
  ['multiplyVectors', 'out', 'a'],
  ['multiplyVectors', 'out', 'b'],
  ['copyVector', 'out', 'a'],
  ['exponential', 'out', 'a'],
  ['logarithm', 'out', 'a'],
  ['errorFunction', 'out', 'a'],
  ['sine', 'out', 'a'],
  ['cosine', 'out', 'a'],
  ['squareRoot', 'out', 'a'],
  ['reciprocalSquareRoot', 'out', 'a'],
  ['reluForward', 'y', 'x'],
  ['sigmoidForward', 'y', 'x'],
  ['tanhForward', 'y', 'x'],
  ['reluBackward', 'dx', 'dy'],
  ['reluBackward', 'dx', 'y'],
  ['sigmoidBackward', 'dx', 'dy'],
  ['sigmoidBackward', 'dx', 'y'],
  ['tanhBackward', 'dx', 'dy'],
  ['tanhBackward', 'dx', 'y'],
  ['geluForward', 'y', 'x'],
  ['geluBackward', 'dx', 'dy'],
  ['geluBackward', 'dx', 'x'],
  ['siluForward', 'y', 'x'],
  ['siluBackward', 'dx', 'dy'],
  ['siluBackward', 'dx', 'x'],
  ['leakyReluForward', 'y', 'x'],
  ['leakyReluBackward', 'dx', 'dy'],
  ['leakyReluBackward', 'dx', 'x'],
  ['layerNormalizationForward', 'y', 'x'],
  ['layerNormalizationBackward', 'dx', 'dy'],
  ['batchNormalizationForward', 'y', 'x'],
  ['batchNormalizationInference', 'y', 'x'],
  ['batchNormalizationBackward', 'dx', 'dy'],
  ['addToRows', 'out', 'a'],
  ['addSinusoids', 'out', 'a'],
  ['dropoutForward', 'y', 'x'],
  ['dropoutBackward', 'dx', 'dy'],
  ['addNoise', 'y', 'x'],
  ['maskBands', 'y', 'x'],
  ['logSoftmaxForward', 'y', 'x'],
  ['logSoftmaxBackward', 'dx', 'dy'],
  ['logSoftmaxBackward', 'dx', 'y'],
  ['softmaxForward', 'y', 'x'],
  ['softmaxBackward', 'dx', 'dy'],
  ['softmaxBackward', 'dx', 'y'],
  ['softmaxCrossEntropySparseForward', 'probabilities', 'logits'],
  ['softmaxCrossEntropySparseBackward', 'dlogits', 'probabilities'],
  ['softmaxCrossEntropyBackward', 'dlogits', 'probabilities'],
  ['ctcForward', 'errors', 'logits'],
  ['meanAbsoluteErrorBackward', 'dy', 'y'],
  ['huberBackward', 'dy', 'targets'],
  ['binaryCrossEntropyBackward', 'dlogits', 'logits'],
  ['scaleVector', 'out', 'a'],
  ['roundToBfloat16', 'out', 'a'],
  ['crossEntropyBackward', 'dp', 'p'],
  ['crossEntropyBackward', 'dp', 'targets'],
  ['meanSquaredErrorBackward', 'dy', 'y'],
  ['meanSquaredErrorBackward', 'dy', 'targets'],
];

const builds = await allBuilds();

/** What is wrong with the memory after a call; empty if nothing is. */
function findings(kernel: KernelName, testCase: TestCase, before: Uint32Array, after: Uint32Array): string[] {
  const found: string[] = [];
  const isOutput = new Uint8Array(after.length);
  for (const { offset, words, isOutput: written } of testCase.buffers) {
    if (written) isOutput.fill(1, wordAt(offset), wordAt(offset) + words);
  }
  const stray = after.findIndex((word, i) => isOutput[i] === 0 && word !== before[i]);
  if (stray >= 0) found.push(`wrote at word ${stray}, which is not an output`);
  const outputs = outputsOf(testCase, after);
  for (const [name, expected] of Object.entries(REFERENCE[kernel](callOf(testCase, before)))) {
    const text = deviation(expected, outputs.get(name)!);
    if (text) found.push(`${name}: ${text}`);
  }
  return found;
}

function hashOf(testCase: TestCase, words: Uint32Array): string {
  const hash = createHash('sha256');
  for (const output of outputsOf(testCase, words).values()) {
    hash.update(output.map((word) => ((word & 0x7fffffff) > 0x7f800000 ? 0x7fc00000 : word)));
  }
  return hash.digest('hex');
}

/** Runs a test case on a build; returns the words from START to its end, before and after. */
function attempt(
  build: TestBuild,
  kernel: KernelName,
  size: Size,
  kind: ValueKind,
  inPlace?: readonly [string, string],
) {
  const testCase = placeTestCase(kernel, size, kind, build.words, START);
  const [output, input] = inPlace ?? [];
  const args = output ? { ...testCase.args, [output]: testCase.args[input!]! } : testCase.args;
  const before = build.words.slice(START / 4, testCase.end / 4);
  build.run(kernel, args);
  return { testCase, before, after: build.words.slice(START / 4, testCase.end / 4) };
}

/**
 * Time limit for one kernel. Every size and kind of values runs on every build, and the exact ones compute each
 * multiply-add in about twenty operations: half a minute for the longest kernels on a busy machine.
 */
const WORK_MS_MAX = 240_000;

describe('every build', () => {
  it.each(KERNELS)(
    'computes %s like its reference, and with the same bits as every other build',
    (kernel) => {
      for (const size of SIZES) {
        for (const kind of VALUE_KINDS) {
          const hashes = builds.map((build) => {
            const { testCase, before, after } = attempt(build, kernel, size, kind);
            // For arbitrary bits the only requirement is that all builds agree.
            const found = kind === 'wild' ? [] : findings(kernel, testCase, before, after);
            expect(found, `${build.name} ${kind} ${JSON.stringify(size)}`).toEqual([]);
            return hashOf(testCase, after);
          });
          expect(new Set(hashes).size, `${kind} ${JSON.stringify(size)}: ${hashes}`).toBe(1);
        }
      }
    },
    WORK_MS_MAX,
  );

  it.each(IN_PLACE)('computes %s in place, with %s over %s', (kernel, output, input) => {
    for (const build of builds) {
      for (const size of SIZES) {
        const apart = attempt(build, kernel, size, 'ordinary');
        const together = attempt(build, kernel, size, 'ordinary', [output, input]);
        const at = apart.testCase.buffers.find(({ name }) => name === output)!;
        const expected = apart.after.subarray(wordAt(at.offset), wordAt(at.offset) + at.words);
        const start = wordAt(together.testCase.args[input]!);
        expect(together.after.subarray(start, start + at.words), build.name).toEqual(expected);
      }
    }
  });
});

describe('the conformance test', () => {
  const size = { rows: 3, inner: 5, cols: 7 };

  it.each(KERNELS)('finds a flipped bit in each output of %s', (kernel) => {
    const { testCase, before, after } = attempt(builds[0]!, kernel, size, 'ordinary');
    expect(findings(kernel, testCase, before, after)).toEqual([]);
    const hash = hashOf(testCase, after);
    for (const { offset, words, isOutput } of testCase.buffers) {
      if (!isOutput) continue;
      const from = wordAt(offset);
      const at =
        from + after.subarray(from, from + words).findIndex((word) => (word & 0x7fffffff) <= 0x7f800000);
      // The hash must detect a change of the lowest bit, the reference one of the highest exponent bit.
      after[at]! ^= 1;
      expect(hashOf(testCase, after)).not.toBe(hash);
      after[at]! ^= 0x40000001;
      expect(findings(kernel, testCase, before, after)).toHaveLength(1);
      after[at]! ^= 0x40000000;
    }
  });

  it('finds a word written outside of an output, and a changed input', () => {
    const { testCase, before, after } = attempt(builds[0]!, 'addVectors', size, 'ordinary');
    const out = testCase.buffers.find(({ name }) => name === 'out')!;
    const a = testCase.buffers.find(({ name }) => name === 'a')!;
    for (const at of [wordAt(out.offset) + out.words, wordAt(out.offset) - 1, wordAt(a.offset)]) {
      expect(after[at] === GUARD).toBe(at !== wordAt(a.offset));
      after[at]! ^= 1;
      expect(findings('addVectors', testCase, before, after)).toEqual([
        `wrote at word ${at}, which is not an output`,
      ]);
      after[at]! ^= 1;
    }
  });

  it('runs on both wasm builds at least', () => {
    expect(builds.map(({ name }) => name)).toEqual(expect.arrayContaining(['wasm', 'wasm-exact']));
  });
});
