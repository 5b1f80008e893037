/** Attention in plain TypeScript and double precision. */
import { type Call, type Expected, indices, sumOf } from './expected.js';

interface Measured {
  readonly value: number;
  /** The magnitude to which its error is relative. */
  readonly size: number;
}

/** Index of sample r, position p, head h, element e. */
type Place = (r: number, p: number, h: number, e: number) => number;

function attentionPlaces(call: Call) {
  const { heads, queries, keys, size, qPitch, kPitch, causal, rows } = call.args as Readonly<
    Record<string, number>
  >;
  const place =
    (positions: number, pitch: number): Place =>
    (r, p, h, e) =>
      (r * positions + p) * pitch + h * size! + e;
  const eachHead = (visit: (r: number, h: number) => void) => {
    for (const r of indices(rows!)) for (const h of indices(heads!)) visit(r, h);
  };
  return {
    ...{ queries: indices(queries!), keys: indices(keys!), elements: indices(size!), eachHead },
    ...{ q: place(queries!, qPitch!), kv: place(keys!, kPitch!), out: place(queries!, heads! * size!) },
    probability: (r: number, h: number, t: number, s: number) =>
      ((r * heads! + h) * queries! + t) * keys! + s,
    scale: 1 / Math.sqrt(size!),
    /** End of the keys that the block of a query covers. */
    reached: (t: number) => (causal ? Math.min(keys!, (Math.floor(t / 16) + 1) * 16) : keys!),
    seen: (r: number, t: number, s: number) =>
      (!causal || s <= t) && (call.args.mask === 0 || call.f32('mask')[r * keys! + s] !== 0),
  };
}

/** Sums in which results are accumulated. */
class Terms {
  readonly values: number[];
  readonly sizes: number[];
  constructor(initial: ArrayLike<number>) {
    this.values = Array.from(initial);
    this.sizes = this.values.map(Math.abs);
  }
  set(at: number, terms: readonly Measured[]): void {
    this.values[at] = sumOf(terms.map(({ value }) => value)).sum;
    this.sizes[at] = sumOf(terms.map(({ size }) => size)).sum;
  }
  within(ulps: number): Expected {
    return { values: this.values, sizes: this.sizes, ulps };
  }
}

export const REFERENCE_ATTENTION = {
  attentionForward: (call: Call) => {
    const { queries, keys, elements, eachHead, q, kv, out, probability, scale, seen } = attentionPlaces(call);
    const [qs, ks, vs] = [call.f32('q'), call.f32('k'), call.f32('v')];
    const [p, y] = [new Terms(call.f32('probabilities').fill(0)), new Terms(call.f32('out'))];
    eachHead((r, h) => {
      for (const t of queries) {
        const scores = keys.map((s) =>
          sumOf(elements.map((e) => qs[q(r, t, h, e)]! * ks[kv(r, s, h, e)]! * scale)),
        );
        const shown = scores.map(({ sum }, s) => (seen(r, t, s) ? sum : Number.NEGATIVE_INFINITY));
        const top = Math.max(...shown);
        const powers = shown.map((score) =>
          score === top && top === Number.NEGATIVE_INFINITY ? 0 : Math.exp(score - top),
        );
        const { sum } = sumOf(powers);
        const spread = Math.max(...scores.map(({ size }) => size));
        // Overflowed scores give no expected value.
        const blur = spread > 2 ** 60 ? 2 ** 125 : 0;
        const row = powers.map((power) => {
          const value = sum === 0 ? 0 : power / sum;
          return { value, size: value * (1 + 2 * elements.length * spread) + blur };
        });
        row.forEach((term, s) => {
          p.set(probability(r, h, t, s), [term]);
        });
        for (const e of elements) {
          const terms = row.map(({ value, size }, s) => {
            const v = vs[kv(r, s, h, e)]!;
            return { value: value * v, size: size * Math.abs(v) + blur };
          });
          y.set(out(r, t, h, e), terms);
        }
      }
    });
    return { probabilities: p.within(keys.length + 8), out: y.within(2 * keys.length + 10) };
  },
  attentionBackward: (call: Call) => {
    const { queries, keys, elements, eachHead, q, kv, out, probability, scale, reached } =
      attentionPlaces(call);
    const [qs, ks, vs, dy] = [call.f32('q'), call.f32('k'), call.f32('v'), call.f32('dout')];
    const p = call.f32('probabilities');
    const [dq, dk, dv] = [new Terms(call.f32('dq')), new Terms(call.f32('dk')), new Terms(call.f32('dv'))];
    const ds = new Terms(p);
    const product = (a: number, b: number): Measured => ({ value: a * b, size: Math.abs(a * b) });
    eachHead((r, h) => {
      for (const t of queries) {
        const slopes = keys.map((s) =>
          sumOf(elements.map((e) => dy[out(r, t, h, e)]! * vs[kv(r, s, h, e)]!)),
        );
        const within = keys.slice(0, reached(t));
        const mean = sumOf(within.map((s) => p[probability(r, h, t, s)]! * slopes[s]!.sum)).sum;
        const meanSize = sumOf(within.map((s) => p[probability(r, h, t, s)]! * slopes[s]!.size)).size;
        for (const s of within) {
          const at = probability(r, h, t, s);
          const value = p[at]! * (slopes[s]!.sum - mean) * scale;
          ds.set(at, [{ value, size: (slopes[s]!.size + meanSize) * scale }]);
        }
      }
      const error = (t: number, s: number): Measured => {
        const at = probability(r, h, t, s);
        return { value: ds.values[at]!, size: ds.sizes[at]! };
      };
      const times = (term: Measured, factor: number): Measured => ({
        value: term.value * factor,
        size: term.size * Math.abs(factor),
      });
      for (const e of elements) {
        for (const t of queries) {
          const within = keys.slice(0, reached(t));
          dq.set(
            q(r, t, h, e),
            within.map((s) => times(error(t, s), ks[kv(r, s, h, e)]!)),
          );
        }
        for (const s of keys) {
          const from = queries.filter((t) => s < reached(t));
          dk.set(
            kv(r, s, h, e),
            from.map((t) => times(error(t, s), qs[q(r, t, h, e)]!)),
          );
          dv.set(
            kv(r, s, h, e),
            from.map((t) => product(p[probability(r, h, t, s)]!, dy[out(r, t, h, e)]!)),
          );
        }
      }
    });
    const ulps = 2 * Math.max(keys.length, queries.length) + elements.length + 10;
    return { probabilities: ds.within(ulps), dq: dq.within(ulps), dk: dk.within(ulps), dv: dv.within(ulps) };
  },
} as const;
