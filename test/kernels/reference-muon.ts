/* The kernels of Muon except matrix products, in plain TypeScript and double precision. */
import { type Call, type Expected, sumOf } from './expected.js';

const added = (terms: readonly number[][], ulps: number): Expected => ({
  values: terms.map((parts) => sumOf(parts).sum),
  sizes: terms.map((parts) => sumOf(parts).size),
  ulps,
});

export const REFERENCE_MUON = {
  muonMomentum: ({ f32 }: Call) => {
    const [, , keep, add, nesterov] = f32('scalars') as unknown as number[];
    const terms = Array.from(f32('gradient'), (g, i) => [keep! * f32('momentum')[i]!, add! * g]);
    const m = added(terms, 2);
    const flushed = m.values.map((x) => (Math.abs(x) < 2 ** -100 ? 0 : x));
    const ahead = added(
      terms.map(([, fresh], i) => [keep! * flushed[i]!, fresh!]),
      3,
    );
    const momentum = { ...m, values: flushed };
    return { momentum, out: nesterov ? ahead : momentum };
  },
  normalizeVector: ({ f32, args }: Call) => {
    const { epsilon } = args as { epsilon: number };
    const [sum, large] = f32('total');
    const norm = Math.sqrt(sum! + large! * 2 ** 160) + epsilon;
    const values = Array.from(f32('a'), (x) => x / norm);
    return { a: { values, sizes: values.map(Math.abs), ulps: 3 } };
  },
  blendVectors: ({ f32, args }: Call) => {
    const { p, q } = args as { p: number; q: number };
    const terms = Array.from(f32('a'), (x, i) => [Math.fround(p) * x, Math.fround(q) * f32('b')[i]!]);
    return { out: added(terms, 1) };
  },
  muonUpdate: ({ f32, args }: Call) => {
    const { scale } = args as { scale: number };
    const [rate, decay] = f32('scalars') as unknown as [number, number];
    const terms = Array.from(f32('weights'), (w, i) => [w, -decay * w, -rate * scale * f32('direction')[i]!]);
    return { weights: added(terms, 3) };
  },
} as const satisfies Record<string, (call: Call) => Record<string, Expected>>;
