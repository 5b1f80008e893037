import { createHash } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import type { Size } from '../../shared/kernels/specimen.js';
import { KERNEL_TABLE } from '../../shared/kernels/table.js';
import type { KernelName } from '../../shared/kernels/tape.js';
import { GUARD, layOut, type Trial } from '../../shared/kernels/trial.js';
import { VALUE_KINDS, type ValueKind } from '../../shared/kernels/values.js';
import { deviation } from './expected.js';
import { REFERENCE } from './reference.js';
import { allBuilds, callOf, outputsOf, START, type TestBuild, wordAt } from './trials.js';

const KERNELS = Object.keys(KERNEL_TABLE) as KernelName[];

/** Every tail of a vector of up to sixteen, then primes and more than one vector. */
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
  ['crossEntropyBackward', 'dp', 'p'],
  ['crossEntropyBackward', 'dp', 'targets'],
  ['meanSquaredErrorBackward', 'dy', 'y'],
  ['meanSquaredErrorBackward', 'dy', 'targets'],
];

const builds = await allBuilds();

/** What is wrong with what a call left in the memory; nothing if all is well. */
function findings(kernel: KernelName, trial: Trial, before: Uint32Array, after: Uint32Array): string[] {
  const found: string[] = [];
  const isOutput = new Uint8Array(after.length);
  for (const { offset, words, isOutput: written } of trial.buffers) {
    if (written) isOutput.fill(1, wordAt(offset), wordAt(offset) + words);
  }
  const stray = after.findIndex((word, i) => isOutput[i] === 0 && word !== before[i]);
  if (stray >= 0) found.push(`wrote at word ${stray}, which is no output`);
  const outputs = outputsOf(trial, after);
  for (const [name, expected] of Object.entries(REFERENCE[kernel](callOf(trial, before)))) {
    const text = deviation(expected, outputs.get(name)!);
    if (text) found.push(`${name}: ${text}`);
  }
  return found;
}

function hashOf(trial: Trial, words: Uint32Array): string {
  const hash = createHash('sha256');
  for (const output of outputsOf(trial, words).values()) {
    hash.update(output.map((word) => ((word & 0x7fffffff) > 0x7f800000 ? 0x7fc00000 : word)));
  }
  return hash.digest('hex');
}

/** Lays out a specimen in a build's memory and runs it; the words from START to the trial's end before and after. */
function attempt(
  build: TestBuild,
  kernel: KernelName,
  size: Size,
  kind: ValueKind,
  inPlace?: readonly [string, string],
) {
  const trial = layOut(kernel, size, kind, build.words, START);
  const [output, input] = inPlace ?? [];
  const args = output ? { ...trial.args, [output]: trial.args[input!]! } : trial.args;
  const before = build.words.slice(START / 4, trial.end / 4);
  build.run(kernel, args);
  return { trial, before, after: build.words.slice(START / 4, trial.end / 4) };
}

/**
 * A bound against hanging. Every size and kind of values runs on every build, and the exact ones compute each
 * multiply-add in some twenty operations: half a minute for the longest kernels on a busy machine.
 */
const WORK_MS_MAX = 240_000;

describe('every build', () => {
  it.each(KERNELS)(
    'computes %s as its reference, and like every other build',
    (kernel) => {
      for (const size of SIZES) {
        for (const kind of VALUE_KINDS) {
          const hashes = builds.map((build) => {
            const { trial, before, after } = attempt(build, kernel, size, kind);
            // Of arbitrary bits all that can be said is that every build makes the same of them.
            const found = kind === 'wild' ? [] : findings(kernel, trial, before, after);
            expect(found, `${build.name} ${kind} ${JSON.stringify(size)}`).toEqual([]);
            return hashOf(trial, after);
          });
          expect(new Set(hashes).size, `${kind} ${JSON.stringify(size)}: ${hashes}`).toBe(1);
        }
      }
    },
    WORK_MS_MAX,
  );

  it.each(IN_PLACE)('computes %s with %s in the place of %s', (kernel, output, input) => {
    for (const build of builds) {
      for (const size of SIZES) {
        const apart = attempt(build, kernel, size, 'ordinary');
        const together = attempt(build, kernel, size, 'ordinary', [output, input]);
        const at = apart.trial.buffers.find(({ name }) => name === output)!;
        const wanted = apart.after.subarray(wordAt(at.offset), wordAt(at.offset) + at.words);
        const start = wordAt(together.trial.args[input]!);
        expect(together.after.subarray(start, start + at.words), build.name).toEqual(wanted);
      }
    }
  });
});

describe('the conformance test', () => {
  const size = { rows: 3, inner: 5, cols: 7 };

  it.each(KERNELS)('finds a flipped bit in each output of %s', (kernel) => {
    const { trial, before, after } = attempt(builds[0]!, kernel, size, 'ordinary');
    expect(findings(kernel, trial, before, after)).toEqual([]);
    const hash = hashOf(trial, after);
    for (const { offset, words, isOutput } of trial.buffers) {
      if (!isOutput) continue;
      const from = wordAt(offset);
      const at =
        from + after.subarray(from, from + words).findIndex((word) => (word & 0x7fffffff) <= 0x7f800000);
      // The lowest bit is what the hash is for, the highest of the exponent what the reference is for.
      after[at]! ^= 1;
      expect(hashOf(trial, after)).not.toBe(hash);
      after[at]! ^= 0x40000001;
      expect(findings(kernel, trial, before, after)).toHaveLength(1);
      after[at]! ^= 0x40000000;
    }
  });

  it('finds a word written behind an output, and a changed input', () => {
    const { trial, before, after } = attempt(builds[0]!, 'addVectors', size, 'ordinary');
    const out = trial.buffers.find(({ name }) => name === 'out')!;
    const a = trial.buffers.find(({ name }) => name === 'a')!;
    for (const at of [wordAt(out.offset) + out.words, wordAt(out.offset) - 1, wordAt(a.offset)]) {
      expect(after[at] === GUARD).toBe(at !== wordAt(a.offset));
      after[at]! ^= 1;
      expect(findings('addVectors', trial, before, after)).toEqual([
        `wrote at word ${at}, which is no output`,
      ]);
      after[at]! ^= 1;
    }
  });

  it('runs on every build that can be had here', () => {
    expect(builds.map(({ name }) => name)).toEqual(expect.arrayContaining(['wasm', 'wasm-exact']));
  });
});
