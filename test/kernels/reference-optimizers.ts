/* The updates of optimizers in plain TypeScript and double precision. */
import { philox, type Words } from '../../shared/data/philox.js';
import { about, type Call, type Expected, exactly, sumOf } from './expected.js';

/** Moving averages below 2^-100 are 0. */
const flush = (x: number) => (Math.abs(x) < 2 ** -100 ? 0 : x);

/** The gradient plus weight decay, and the magnitude to which its rounding error is relative. */
function decayed(f32: Call['f32'], decay: number) {
  const w = Array.from(f32('weights'));
  const g = w.map((x, i) => f32('gradient')[i]! + decay * x);
  // The precision of a subnormal is only 2^-149.
  const sizes = w.map((x, i) => Math.max(Math.abs(f32('gradient')[i]!) + Math.abs(decay * x), 2 ** -125));
  return { w, g, sizes };
}

export const REFERENCE_OPTIMIZERS = {
  sgdUpdate: ({ f32 }: Call) => {
    const [rate, momentum, nesterov, decay] = f32('scalars') as unknown as [number, number, number, number];
    const w = Array.from(f32('weights'));
    const g = w.map((x, i) => f32('gradient')[i]! + decay * x);
    const m = w.map((_, i) => flush(momentum * f32('momentum')[i]! + g[i]!));
    const step = m.map((x, i) => (nesterov ? momentum * x + g[i]! : x));
    const sizes = w.map(
      (x, i) => Math.abs(x) + Math.abs(f32('gradient')[i]!) + Math.abs(f32('momentum')[i]!),
    );
    return {
      weights: { values: w.map((x, i) => x - rate * step[i]!), sizes, ulps: 3 },
      momentum: { values: m, sizes, ulps: 3 },
    };
  },
  adamUpdate: ({ f32 }: Call) => {
    const s = Array.from(f32('scalars'));
    const w = Array.from(f32('weights'));
    const g = f32('gradient');
    const terms = w.map((_, i) => [s[1]! * f32('m')[i]!, s[2]! * g[i]!] as const);
    const m = terms.map(([kept, added]) => flush(kept + added));
    const v = w.map((_, i) => flush(s[3]! * f32('v')[i]! + s[4]! * g[i]! * g[i]!));
    const divisor = v.map((x) => Math.sqrt(x * s[5]!) + s[6]!);
    // The precision of a subnormal m is only 2^-149.
    const mSizes = terms.map(([kept, added]) => Math.max(Math.abs(kept) + Math.abs(added), 2 ** -125));
    return {
      m: { values: m, sizes: mSizes, ulps: 2 },
      v: about(v, { ulps: 3 }),
      weights: {
        values: w.map((x, i) => x - s[7]! * x - (s[0]! * m[i]!) / divisor[i]!),
        sizes: w.map((x, i) => Math.max(Math.abs(x) + (s[0]! * mSizes[i]!) / divisor[i]!, v[i]!)),
        ulps: 6,
      },
    };
  },
  rmspropUpdate: ({ f32 }: Call) => {
    const s = Array.from(f32('scalars'));
    const { w, g, sizes } = decayed(f32, s[5]!);
    const v = g.map((x, i) => flush(s[1]! * f32('v')[i]! + s[2]! * x * x));
    const vSizes = v.map((x, i) => x + s[2]! * sizes[i]! ** 2);
    const m = g.map((x, i) => flush(s[4]! * f32('momentum')[i]! + x / (Math.sqrt(v[i]!) + s[3]!)));
    // An error of v is halved by the root, and then an error of the quotient.
    const ratios = sizes.map(
      (size, i) => (size / (Math.sqrt(v[i]!) + s[3]!)) * (1 + vSizes[i]! / (v[i]! + s[3]! ** 2)),
    );
    const mSizes = ratios.map((ratio, i) => Math.abs(s[4]! * f32('momentum')[i]!) + ratio);
    return {
      v: { values: v, sizes: vSizes, ulps: 5 },
      momentum: { values: m, sizes: mSizes, ulps: 8 },
      weights: {
        values: w.map((x, i) => x - s[0]! * m[i]!),
        sizes: w.map((x, i) => Math.abs(x) + s[0]! * mSizes[i]!),
        ulps: 9,
      },
    };
  },
  adagradUpdate: ({ f32 }: Call) => {
    const s = Array.from(f32('scalars'));
    const { w, g, sizes } = decayed(f32, s[2]!);
    const v = g.map((x, i) => f32('v')[i]! + x * x);
    const vSizes = v.map((x, i) => x + sizes[i]! ** 2);
    const ratios = sizes.map(
      (size, i) => (size / (Math.sqrt(v[i]!) + s[1]!)) * (1 + vSizes[i]! / (v[i]! + s[1]! ** 2)),
    );
    return {
      v: { values: v, sizes: vSizes, ulps: 4 },
      weights: {
        values: w.map((x, i) => x - (s[0]! * g[i]!) / (Math.sqrt(v[i]!) + s[1]!)),
        sizes: w.map((x, i) => Math.abs(x) + s[0]! * ratios[i]!),
        ulps: 9,
      },
    };
  },
  clampVector: ({ f32, args }: Call) => {
    const { limit } = args as { limit: number };
    return { a: exactly(Array.from(f32('a'), (x) => Math.min(Math.max(x, -limit), limit))) };
  },
  shrinkVector: ({ f32, args }: Call) => {
    const { limit } = args as { limit: number };
    const [sum, large] = f32('total');
    const norm = Math.sqrt(sum! + large! * 2 ** 160);
    return {
      a: about(
        Array.from(f32('a'), (x) => x * Math.min(1, limit / norm)),
        { ulps: 3 },
      ),
    };
  },
  addPenalty: ({ f32, args }: Call) => {
    const { l1, l2 } = args as { l1: number; l2: number };
    const terms = Array.from(f32('gradient'), (g, i) => {
      const w = f32('weights')[i]!;
      return [g, 2 * Math.fround(l2) * w, Math.fround(l1) * Math.sign(w)];
    });
    return {
      gradient: {
        values: terms.map((three) => sumOf(three).sum),
        sizes: terms.map((three) => sumOf(three).size),
        ulps: 2,
      },
    };
  },
  addGradientNoise: ({ f32, i32, args }: Call) => {
    const { first, key0, key1, scale, decay } = args as Record<string, number>;
    const step = i32('step')[0]!;
    const deviation = scale! * (1 + step) ** (-decay! / 2);
    const values = Array.from(f32('gradient'), (g, i) => {
      const words: Words = [(first! + i) >> 2, step, 0, 0];
      philox(words, key0!, key1!);
      const [one, other] = i % 4 < 2 ? [words[0], words[1]] : [words[2], words[3]];
      const radius = Math.sqrt(-2 * Math.log(((one >>> 8) + 1) / 2 ** 24));
      const angle = (2 * Math.PI * (other >>> 8)) / 2 ** 24;
      return g + deviation * radius * (i % 2 === 0 ? Math.cos(angle) : Math.sin(angle));
    });
    return {
      gradient: { values, sizes: Array.from(f32('gradient'), (g) => Math.abs(g) + 10 * deviation), ulps: 4 },
    };
  },
  lionUpdate: ({ f32 }: Call) => {
    const s = Array.from(f32('scalars'));
    const w = Array.from(f32('weights'));
    const [g, before] = [f32('gradient'), f32('m')];
    const terms = (keep: number, add: number) => w.map((_, i) => [keep * before[i]!, add * g[i]!] as const);
    const sizesOf = (pairs: readonly (readonly [number, number])[]) =>
      pairs.map(([kept, added]) => Math.max(Math.abs(kept) + Math.abs(added), 2 ** -125));
    const steps = terms(s[1]!, s[2]!);
    const means = terms(s[3]!, s[4]!);
    const c = steps.map(([kept, added]) => kept + added);
    // Where the terms cancel up to rounding, any sign is right: the results differ by two learning rates.
    const unsure = sizesOf(steps).map((size, i) => (Math.abs(c[i]!) <= size * 2 ** -22 ? 2 ** 24 : 0));
    return {
      m: { values: means.map(([kept, added]) => flush(kept + added)), sizes: sizesOf(means), ulps: 2 },
      weights: {
        values: w.map((x, i) => x - s[5]! * x - s[0]! * Math.sign(c[i]!)),
        sizes: w.map((x, i) => Math.abs(x) + s[0]! + s[0]! * unsure[i]!),
        ulps: 3,
      },
    };
  },
} as const satisfies Record<string, (call: Call) => Record<string, Expected>>;
