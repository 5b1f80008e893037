/* The conversions to and from half precision and int8, number by number. */
import { fromBfloat16, fromFloat16, toBfloat16, toFloat16 } from '../../shared/files/half-floats.js';
import { about, type Call, type Expected, exactly, indices } from './expected.js';

/** Codes of `bitsEach` bits, the first in the lowest bits of a word. */
function packed(codes: readonly number[], bitsEach: number): Expected {
  const inEachWord = 32 / bitsEach;
  const words = indices(Math.ceil(codes.length / inEachWord)).map((w) => {
    const parts = codes.slice(w * inEachWord, (w + 1) * inEachWord);
    return parts.reduce((word, code, i) => word | (code << (bitsEach * i)), 0);
  });
  return exactly(words, 'i32');
}

function codesOf({ args, i32 }: Call, bitsEach: number): number[] {
  const inEachWord = 32 / bitsEach;
  const words = i32('a');
  return indices(args.n!).map(
    (i) => (words[Math.floor(i / inEachWord)]! >>> (bitsEach * (i % inEachWord))) & (2 ** bitsEach - 1),
  );
}

/** Rounds to the nearest integer, ties to even. */
function nearest(value: number): number {
  const below = Math.floor(value);
  if (value - below === 0.5) return below % 2 === 0 ? below : below + 1;
  return Math.round(value);
}

export const REFERENCE_HALF_PRECISION = {
  floatToBfloat16: (call: Call) => ({ out: packed(Array.from(call.f32('a'), toBfloat16), 16) }),
  bfloat16ToFloat: (call: Call) => ({ out: exactly(codesOf(call, 16).map(fromBfloat16)) }),
  roundToBfloat16: (call: Call) => ({
    out: exactly(Array.from(call.f32('a'), (a) => fromBfloat16(toBfloat16(a)))),
  }),
  floatToFloat16: (call: Call) => ({ out: packed(Array.from(call.f32('a'), toFloat16), 16) }),
  float16ToFloat: (call: Call) => ({ out: exactly(codesOf(call, 16).map(fromFloat16)) }),
  floatToInt8: (call: Call) => {
    const scale = call.f32('scale')[0]!;
    const codes = Array.from(call.f32('a'), (a) => {
      const clamped = Math.min(127, Math.max(-127, Math.fround(a / scale)));
      return nearest(clamped) & 0xff;
    });
    return { out: packed(codes, 8) };
  },
  int8ToFloat: (call: Call) => {
    const scale = call.f32('scale')[0]!;
    const values = codesOf(call, 8).map((code) => ((code << 24) >> 24) * scale);
    return { out: about(values, { ulps: 0.5 }) };
  },
} as const satisfies Record<string, (call: Call) => Record<string, Expected>>;
