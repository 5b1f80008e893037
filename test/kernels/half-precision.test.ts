import { describe, expect, it } from 'vitest';
import { fromBfloat16, fromFloat16, toBfloat16, toFloat16 } from '../../shared/files/half-floats.js';
import type { KernelName } from '../../shared/kernels/command-buffer.js';
import { allBuilds, START } from './test-cases.js';

const CODES = 65536;
const builds = await allBuilds();

const FORMATS = [
  { name: 'bfloat16', to: 'floatToBfloat16', from: 'bfloat16ToFloat', infinity: 0x7f80, nan: 0x7fc0 },
  { name: 'float16', to: 'floatToFloat16', from: 'float16ToFloat', infinity: 0x7c00, nan: 0x7e00 },
] as const;
const CODECS = {
  bfloat16: { encode: toBfloat16, decode: fromBfloat16 },
  float16: { encode: toFloat16, decode: fromFloat16 },
} as const;

/** Runs a kernel on words and returns the words that it wrote. */
function convert(
  build: (typeof builds)[number],
  kernel: KernelName,
  a: Uint32Array,
  outWords: number,
  n: number,
) {
  const out = START + 4 * a.length;
  build.words.set(a, START / 4);
  build.run(kernel, { a: START, out, n });
  return build.words.slice(out / 4, out / 4 + outWords);
}

const codesOf = (words: Uint32Array) => new Uint16Array(words.buffer);
const floatsOf = (words: Uint32Array) => new Float32Array(words.buffer);
const wordsOf = (floats: Float32Array) => new Uint32Array(floats.buffer, 0, floats.length);

/** The finite magnitudes of a format in order, by its definition: sign 0, every code below infinity. */
function sizes(name: 'bfloat16' | 'float16', infinity: number): number[] {
  const [fractionBits, bias] = name === 'bfloat16' ? [7, 127] : [10, 15];
  return Array.from({ length: infinity }, (_, code) => {
    const exponent = code >> fractionBits;
    const fraction = code & (2 ** fractionBits - 1);
    const whole = exponent === 0 ? fraction : fraction + 2 ** fractionBits;
    return whole * 2 ** (Math.max(exponent, 1) - bias - fractionBits);
  });
}

describe.each(FORMATS)('$name', ({ name, to, from, infinity, nan }) => {
  const all = Uint16Array.from({ length: CODES }, (_, code) => code);
  const isNan = (code: number) => (code & 0x7fff) > infinity;

  it.each(builds.map((build) => [build.name, build] as const))(
    'decodes every code, and encodes it again unchanged: %s',
    (_, build) => {
      const values = floatsOf(convert(build, from, new Uint32Array(all.buffer.slice(0)), CODES, CODES));
      sizes(name, infinity).forEach((size, code) => {
        if (values[code] !== size || values[code + 0x8000] !== -size)
          expect(`${code} is ${values[code]}`).toBe(size);
      });
      expect(values[infinity]).toBe(Number.POSITIVE_INFINITY);
      expect(values[infinity + 0x8000]).toBe(Number.NEGATIVE_INFINITY);
      const back = codesOf(convert(build, to, wordsOf(values), CODES / 2, CODES));
      expect(back).toEqual(all.map((code) => (isNan(code) ? nan : code)));
      expect(Object.is(values[0x8000], -0)).toBe(true);
    },
  );

  it.each(builds.map((build) => [build.name, build] as const))(
    'rounds to the nearest at every boundary, ties to even: %s',
    (_, build) => {
      const numbers = sizes(name, infinity);
      // The number that would follow the largest one if there were no infinity.
      const last = numbers.at(-1)!;
      const ends = [...numbers, 2 * last - numbers.at(-2)!];
      const cases: { value: number; code: number }[] = [];
      for (let code = 0; code + 1 < ends.length; code++) {
        const middle = (ends[code]! + ends[code + 1]!) / 2;
        const even = code % 2 === 0 ? code : code + 1;
        if (Math.fround(middle) !== middle) continue;
        const [word] = wordsOf(Float32Array.of(middle));
        const [below, above] = floatsOf(Uint32Array.of(word! - 1, word! + 1));
        cases.push({ value: below!, code }, { value: middle, code: even }, { value: above!, code: code + 1 });
      }
      expect(cases.length).toBeGreaterThan(3 * (infinity - 130));
      for (const sign of [0, 0x8000]) {
        const values = Float32Array.from(cases, ({ value }) => (sign === 0 ? value : -value));
        const codes = codesOf(
          convert(build, to, wordsOf(values), Math.ceil(values.length / 2), values.length),
        );
        const wrong = cases.findIndex(({ code }, i) => codes[i] !== (code | sign));
        expect(wrong < 0 ? 'none' : `${values[wrong]} became ${codes[wrong]}`).toBe('none');
      }
    },
  );

  it('has the same codes in files as in the kernels', () => {
    const { encode, decode } = CODECS[name];
    const [build] = builds;
    const values = floatsOf(convert(build!, from, new Uint32Array(all.buffer.slice(0)), CODES, CODES));
    const wrong = all.findIndex((code, i) => !Object.is(decode(code), values[i]));
    expect(wrong).toBe(-1);
    // All exponents with many fractions, both signs, infinity and NaN included.
    const floats = Float32Array.from(
      floatsOf(Uint32Array.from({ length: CODES }, (_, i) => Math.imul(i, 65537 * 40503))),
    );
    const codes = codesOf(convert(build!, to, wordsOf(floats), CODES / 2, CODES));
    expect(codes.findIndex((code, i) => code !== encode(floats[i]!))).toBe(-1);
  });
});

describe('int8', () => {
  it.each(builds.map((build) => [build.name, build] as const))(
    'encodes every code, rounds ties to even, and clips: %s',
    (_, build) => {
      const steps = [-1000, -127.5, -127, 127, 127.4999, 128, 1e30, Number.NaN];
      for (let code = -126; code < 126; code++) steps.push(code, code + 0.5, code + 0.4999, code + 0.5001);
      const scale = 0.125;
      const a = wordsOf(Float32Array.from(steps, (step) => step * scale));
      const scaleAt = START + 4 * a.length;
      const out = scaleAt + 64;
      build.words.set(a, START / 4);
      build.words.set(wordsOf(Float32Array.of(scale)), scaleAt / 4);
      build.run('floatToInt8', { a: START, scale: scaleAt, out, n: steps.length });
      const words = build.words.slice(out / 4, out / 4 + Math.ceil(steps.length / 4));
      const codes = new Int8Array(words.buffer).subarray(0, steps.length);
      const expected = steps.map((step) => {
        if (Number.isNaN(step)) return 0;
        const clipped = Math.max(-127, Math.min(127, step));
        const below = Math.floor(clipped);
        const rest = clipped - below;
        return rest > 0.5 || (rest === 0.5 && below % 2 !== 0) ? below + 1 : below;
      });
      expect([...codes]).toEqual(expected.map((code) => code + 0));
      build.run('int8ToFloat', { a: out, scale: scaleAt, out: out + 4096, n: steps.length });
      const back = floatsOf(build.words.slice((out + 4096) / 4, (out + 4096) / 4 + steps.length));
      expect([...back]).toEqual(expected.map((code) => code * scale + 0));
    },
  );
});
