import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { CODECS, type Compression, encodedBytes } from '../../shared/codec/codec.js';
import {
  type Conversion,
  type Dither,
  emitDecode,
  emitEncode,
  emitQuantize,
  encodingOf,
} from '../../shared/codec/encoding.js';
import { fromBfloat16, toBfloat16 } from '../../shared/files/half-floats.js';
import type { CommandBuffer } from '../../shared/kernels/command-buffer.js';
import { dequantize, ditherOf, quantize } from '../kernels/reference-block-quantization.js';
import { allBuilds, START, type TestBuild } from '../kernels/test-cases.js';

const builds = await allBuilds();
const COMPRESSIONS = CODECS.filter((codec): codec is Compression => codec !== 'none');
const BITS = { bf16: 16, int8: 8, int4: 4 } as const;
const STEP_AT = START;
const VECTOR_AT = START + 64;
const UNWRITTEN = 0xdededede;

interface Setting {
  readonly codec: Compression;
  readonly isUnsigned: boolean;
  /** The step that random bits depend on; undefined: none are used. */
  readonly step: number | undefined;
}

/** Tensors of these sizes in a vector, each at a multiple of 16 floats. */
function place(sizes: readonly number[]): { tensors: { offset: number; size: number }[]; floats: number } {
  let end = 0;
  const tensors = sizes.map((size) => {
    const offset = end;
    end = Math.ceil((end + size) / 16) * 16;
    return { offset, size };
  });
  return { tensors, floats: end };
}

/** What conversions make of a vector: encoded words, the vector that they decode to, and the vector quantised in place. */
function convert(
  build: TestBuild,
  vector: Float32Array,
  tensors: readonly { offset: number; size: number }[],
  { codec, isUnsigned, step }: Setting,
) {
  const to = {
    emit: (kernel: string, args: Readonly<Record<string, number>>) => build.run(kernel as never, args),
  } as unknown as CommandBuffer;
  const words = encodedBytes(codec, tensors) / 4;
  const encodedAt = VECTOR_AT / 4 + vector.length;
  const dither: Dither | undefined = step === undefined ? undefined : { step: STEP_AT, key0: 7, key1: -9 };
  const conversion: Conversion = {
    encoding: encodingOf(codec, tensors),
    vector: VECTOR_AT,
    encoded: encodedAt * 4,
    span: { from: 0, to: vector.length },
    isUnsigned,
    dither,
  };
  const vectorWords = () => build.words.slice(VECTOR_AT / 4, encodedAt);
  const put = (values: Uint32Array) => build.words.set(values, VECTOR_AT / 4);
  const bits = new Uint32Array(vector.buffer, vector.byteOffset, vector.length);
  build.words[STEP_AT / 4] = step ?? 0;
  build.words.fill(UNWRITTEN, encodedAt, encodedAt + words + 16);
  put(bits);
  emitEncode(to, conversion);
  const kept = vectorWords();
  put(new Uint32Array(vector.length).fill(UNWRITTEN));
  emitDecode(to, conversion);
  const decoded = vectorWords();
  put(bits);
  emitQuantize(to, conversion);
  return {
    encoded: build.words.slice(encodedAt, encodedAt + words),
    behind: build.words.slice(encodedAt + words, encodedAt + words + 16),
    ...{ kept, decoded, quantized: vectorWords() },
  };
}

/** The same by the definition. */
function expectedValues(
  values: Float32Array,
  first: number,
  { codec, isUnsigned, step }: Setting,
): Float32Array {
  if (codec === 'bf16') return values.map((x) => fromBfloat16(toBfloat16(x)));
  const draw = step === undefined ? undefined : ditherOf(step, 7, -9);
  const quantized = quantize(values, {
    bits: BITS[codec],
    isUnsigned,
    dither: draw && ((i) => draw(first + i)),
  });
  return Float32Array.from(dequantize(quantized, BITS[codec]));
}

const float = fc.oneof(
  { weight: 8, arbitrary: fc.float({ noDefaultInfinity: true, noNaN: true, min: -4, max: 4 }) },
  { weight: 2, arbitrary: fc.constantFrom(0, -0, 1e-40, -1e-45, 2 ** -110, 3e38, -3.4028234e38) },
  { weight: 1, arbitrary: fc.float() },
);
/** Mostly zeros and numbers of one size; now and then all kinds. */
const vectorOf = (floats: number) =>
  fc.tuple(fc.boolean(), fc.array(float, { minLength: 1, maxLength: 300 })).map(([isPlain, list]) =>
    Float32Array.from({ length: floats }, (_, i) => {
      const x = Math.fround(list[(i * 7 + (i >> 6)) % list.length]!);
      return isPlain
        ? Math.fround((Number.isFinite(x) ? Math.sign(x) : 1) * (1 + ((i * 37) % 101)) * 2 ** -12)
        : x;
    }),
  );

const cases = fc
  .record({
    sizes: fc.array(fc.integer({ min: 1, max: 1400 }), { minLength: 1, maxLength: 4 }),
    codec: fc.constantFrom(...COMPRESSIONS),
    isUnsigned: fc.boolean(),
    step: fc.option(fc.nat(), { nil: undefined }),
  })
  .chain(({ sizes, ...setting }) => {
    const { tensors, floats } = place(sizes);
    return vectorOf(floats).map((vector) => ({
      tensors,
      setting,
      vector: setting.isUnsigned ? vector.map(Math.abs) : vector,
    }));
  });

describe.each(builds.map((build) => [build.name, build] as const))('encoded tensors: %s', (_, build) => {
  it('have the values of the definition, whether encoded and decoded or quantised in place', () => {
    fc.assert(
      fc.property(cases, ({ tensors, setting, vector }) => {
        const { decoded, quantized, kept, behind } = convert(build, vector, tensors, setting);
        expect(kept).toEqual(new Uint32Array(vector.buffer));
        expect(behind.every((word) => word === UNWRITTEN)).toBe(true);
        const isInTensor = new Uint8Array(vector.length);
        for (const { offset, size } of tensors) {
          isInTensor.fill(1, offset, offset + size);
          const expected = expectedValues(vector.subarray(offset, offset + size), offset, setting);
          for (const words of [decoded, quantized])
            expect(new Float32Array(words.buffer).subarray(offset, offset + size)).toEqual(expected);
        }
        // Between the tensors nothing is written.
        const gaps = decoded.filter((word, i) => isInTensor[i] === 0 && word !== UNWRITTEN);
        expect(gaps).toHaveLength(0);
      }),
      { numRuns: 40 },
    );
  });

  it('are within half a quantum, and within a whole one with random bits', () => {
    const vector = Float32Array.from({ length: 512 }, (_, i) => Math.sin(i * i) * 2 ** (i % 9));
    for (const codec of ['int8', 'int4'] as const) {
      const limit = codec === 'int8' ? 127 : 7;
      const block = codec === 'int8' ? 256 : 64;
      for (const step of [undefined, 3]) {
        const tensors = [{ offset: 0, size: vector.length }];
        const { decoded } = convert(build, vector, tensors, { codec, isUnsigned: false, step });
        const values = new Float32Array(decoded.buffer);
        for (let from = 0; from < vector.length; from += block) {
          const largest = Math.max(...vector.subarray(from, from + block).map(Math.abs));
          const quantum = (largest / limit) * (1 + 2 ** -7);
          const error = Math.max(
            ...vector.subarray(from, from + block).map((x, i) => Math.abs(x - values[from + i]!)),
          );
          expect(error).toBeLessThanOrEqual(quantum * (step === undefined ? 0.5001 : 1));
        }
      }
    }
  });

  it('never become numbers where they were not finite, nor 0 where a positive number must stay', () => {
    for (const codec of COMPRESSIONS) {
      const vector = new Float32Array(300).fill(0.5);
      vector[70] = Number.NaN;
      vector[299] = Number.NEGATIVE_INFINITY;
      const tensors = [{ offset: 0, size: 300 }];
      for (const isUnsigned of [false, true]) {
        const { decoded } = convert(build, vector, tensors, { codec, isUnsigned, step: undefined });
        const values = new Float32Array(decoded.buffer);
        expect(Number.isNaN(values[70])).toBe(true);
        expect(Number.isFinite(values[299])).toBe(false);
      }
      const small = Float32Array.from({ length: 256 }, (_, i) => (i === 0 ? 1 : i % 2 === 0 ? 0 : 2 ** -60));
      const { decoded } = convert(build, small, [{ offset: 0, size: 256 }], {
        codec,
        isUnsigned: true,
        step: undefined,
      });
      expect([...new Float32Array(decoded.buffer)].map((x) => x > 0)).toEqual([...small].map((x) => x > 0));
    }
  });

  it('have the mean of what they stand for, when rounded with random bits', () => {
    const vector = new Float32Array(64).fill(0.3 / 7);
    vector[0] = 1;
    const steps = 400;
    let sum = 0;
    for (let step = 0; step < steps; step++) {
      const { decoded } = convert(build, vector, [{ offset: 0, size: 64 }], {
        codec: 'int4',
        isUnsigned: false,
        step,
      });
      sum += new Float32Array(decoded.buffer).subarray(1).reduce((total, x) => total + x, 0);
    }
    // 25,200 draws of 0 or 1 quantum; four standard deviations of their mean are 0.0017.
    expect(Math.abs(sum / (63 * steps) - 0.3 / 7)).toBeLessThan(0.0017);
  });
});

describe('bytes of encoded tensors', () => {
  it('are as the page on codecs says', () => {
    const tensors = [{ size: 784 * 512 }, { size: 512 }, { size: 1 }];
    expect(encodedBytes('none', tensors)).toBe(4 * (401408 + 512 + 1));
    expect(encodedBytes('bf16', tensors)).toBe(2 * 401920 + 4);
    expect(encodedBytes('int8', tensors)).toBe(401408 + 2 * 1568 + 512 + 4 + 4 + 4);
    expect(encodedBytes('int4', tensors)).toBe(401408 / 2 + 2 * 6272 + 256 + 16 + 4 + 4);
  });

  it('end where the last tensor does', () => {
    fc.assert(
      fc.property(
        fc.constantFrom(...COMPRESSIONS),
        fc.array(fc.integer({ min: 1, max: 5000 }), { minLength: 1 }),
        (codec, sizes) => {
          const { tensors } = place(sizes);
          const last = encodingOf(codec, tensors).tensors.at(-1)!;
          const bits = BITS[codec] * last.size;
          expect(last.codes + 4 * Math.ceil(bits / 32)).toBe(encodedBytes(codec, tensors));
        },
      ),
    );
  });
});
