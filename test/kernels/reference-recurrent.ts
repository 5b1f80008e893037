/*
 * The recurrent kernels in plain TypeScript and double precision: one row, one step and one unit at a time.
 *
 * What the step behind hands on is a sum that may cancel; errors are relative to its terms' magnitudes, which are carried
 * along by computing everything once more with magnitudes in the place of numbers (`Sized`).
 */
import { type Call, type Expected, indices } from './expected.js';

/** Rounding errors grow from step to step, and a sigmoid passes on a quarter of its argument's. */
const ULPS = 2000;

/** A number, and the magnitude that its error is relative to. */
type Sized = readonly [value: number, size: number];

const ZERO: Sized = [0, 0];
const exact = (x: number): Sized => [x, Math.abs(x)];
const plus = (...terms: readonly Sized[]): Sized =>
  terms.reduce(([a, sizeA], [b, sizeB]) => [a + b, sizeA + sizeB], ZERO);
const times = (...factors: readonly (Sized | number)[]): Sized =>
  factors.map((x) => (typeof x === 'number' ? exact(x) : x)).reduce(([a, sa], [b, sb]) => [a * b, sa * sb]);
const sigmoid = (x: number): number => 1 / (1 + Math.exp(-x));

/** A tensor [rows, steps, width] that is read and written by row, step and column. */
class Tensor {
  readonly values: number[];
  readonly sizes: number[];

  constructor(
    given: Float32Array | number,
    private readonly steps: number,
    private readonly width: number,
  ) {
    this.values = typeof given === 'number' ? Array(given).fill(0) : Array.from(given);
    this.sizes = this.values.map(Math.abs);
  }

  at(r: number, t: number, i: number): number {
    return this.values[this.index(r, t, i)]!;
  }

  /** Results of bounded functions have errors of their bound. */
  set(r: number, t: number, i: number, [value, size]: Sized, bound = 0): void {
    this.values[this.index(r, t, i)] = value;
    this.sizes[this.index(r, t, i)] = Math.max(size, bound);
  }

  expected(): Expected {
    return { values: this.values, sizes: this.sizes, ulps: ULPS };
  }

  private index(r: number, t: number, i: number): number {
    return (r * this.steps + t) * this.width + i;
  }
}

/** A call's sizes, and its tensors by argument. */
function opened({ args, f32 }: Call, gates: number) {
  const { rows, steps, units, sequences, reverse } = args as Record<string, number>;
  const weights = f32('weights');
  return {
    rows: indices(rows!),
    units: indices(units!),
    n: units!,
    /** Times in the order of computation. */
    times: reverse === 1 ? indices(steps!).reverse() : indices(steps!),
    tensor: (name: string, width: number) => new Tensor(f32(name), steps!, width * units!),
    output: (name: string) => new Tensor(f32(name), sequences === 1 ? steps! : 1, units!),
    /** Where the output of the step at `time` lies; undefined where there is none. */
    place: (time: number, isLast: boolean) => (sequences === 1 ? time : isLast ? 0 : undefined),
    weight: (k: number, column: number) => weights[k * gates * units! + column]!,
  };
}

type Opened = ReturnType<typeof opened>;

/** Walks forward: `step` gives the output of unit u, from the gates' parts that come from the step before. */
function forward(
  { rows, units, n, times: walk, output, tensor, place, weight }: Opened,
  step: (r: number, t: number, u: number, recurrent: (gate: number) => number, before: number) => number,
): { y: Expected; previous: Expected } {
  const [y, previous] = [output('y'), tensor('previous', 1)];
  for (const r of rows) {
    let h: number[] = Array(n).fill(0);
    walk.forEach((t, done) => {
      h.forEach((x, u) => void previous.set(r, t, u, exact(x), done === 0 ? 0 : 1));
      const before = h;
      const product = (u: number) => (gate: number) =>
        before.reduce((sum, x, k) => sum + x * weight(k, gate * n + u), 0);
      h = units.map((u) => step(r, t, u, product(u), before[u]!));
      const at = place(t, done === walk.length - 1);
      if (at !== undefined) h.forEach((x, u) => void y.set(r, at, u, exact(x), 1));
    });
  }
  return { y: y.expected(), previous: previous.expected() };
}

/** Walks back: `step` is given dh of unit u, and gives what its gates hand on: error terms by gate, and past the product. */
function backward(
  { rows, units, n, times: walk, output, place, weight }: Opened,
  step: (r: number, done: number, u: number, dh: Sized, carry: Sized) => { errors: Sized[]; carry: Sized },
): void {
  const dy = output('dy');
  for (const r of rows) {
    let behind: { errors: Sized[]; carry: Sized }[] | undefined;
    for (const done of indices(walk.length).reverse()) {
      const at = place(walk[done]!, done === walk.length - 1);
      const later = behind;
      behind = units.map((u) => {
        let [value, size] = at === undefined ? ZERO : exact(dy.at(r, at, u));
        later?.forEach(({ errors }, k) => {
          errors.forEach(([error, magnitude], gate) => {
            value += error * weight(u, gate * n + k);
            size += magnitude * Math.abs(weight(u, gate * n + k));
          });
        });
        return step(r, done, u, [value, size], later?.[u]?.carry ?? ZERO);
      });
    }
  }
}

type Reference = (call: Call) => Record<string, Expected>;

export const RECURRENT_REFERENCE = {
  lstmForward: (call) => {
    const layer = opened(call, 4);
    const [z, cells] = [layer.tensor('z', 4), layer.tensor('cells', 1)];
    const state = new Map<number, number>();
    const outputs = forward(layer, (r, t, u, recurrent) => {
      if (t === layer.times[0]) state.delete(u);
      const sums = indices(4).map((gate) => z.at(r, t, gate * layer.n + u) + recurrent(gate));
      const gates = sums.map((x, gate) => (gate === 2 ? Math.tanh(x) : sigmoid(x)));
      const [i, f, g, o] = gates as [number, number, number, number];
      const c = f * (state.get(u) ?? 0) + i * g;
      state.set(u, c);
      gates.forEach((x, gate) => void z.set(r, t, gate * layer.n + u, exact(x), 1));
      cells.set(r, t, u, exact(c), 1);
      return o * Math.tanh(c);
    });
    return { z: z.expected(), cells: cells.expected(), ...outputs };
  },

  lstmBackward: (call) => {
    const layer = opened(call, 4);
    const [z, cells] = [layer.tensor('z', 4), layer.tensor('cells', 1)];
    backward(layer, (r, done, u, dh, carry) => {
      const t = layer.times[done]!;
      const [i, f, g, o] = indices(4).map((gate) => z.at(r, t, gate * layer.n + u)) as [
        number,
        number,
        number,
        number,
      ];
      // Zeros do not make up for what has overflowed before.
      const e: Sized = [Math.tanh(cells.at(r, t, u)), 1];
      const c = done === 0 ? 0 : cells.at(r, layer.times[done - 1]!, u);
      const before: Sized = [c, Math.max(Math.abs(c), 1)];
      // A slope near 0 is the difference of numbers near 1.
      const dc = plus(times(dh, o, [1 - e[0] * e[0], 1]), carry);
      const errors = [
        times(dc, g, i * (1 - i)),
        times(dc, before, f * (1 - f)),
        times(dc, i, 1 - g * g),
        times(dh, e, o * (1 - o)),
      ];
      errors.forEach((x, gate) => void z.set(r, t, gate * layer.n + u, x));
      return { errors, carry: times(dc, f) };
    });
    return { z: z.expected() };
  },

  gruForward: (call) => {
    const layer = opened(call, 3);
    const [z, sums, bias] = [layer.tensor('z', 3), layer.tensor('sums', 3), call.f32('bias')];
    const outputs = forward(layer, (r, t, u, recurrent, before) => {
      const column = (gate: number) => gate * layer.n + u;
      const s = indices(3).map((gate) => recurrent(gate) + bias[column(gate)]!) as [number, number, number];
      const update = sigmoid(z.at(r, t, column(0)) + s[0]);
      const reset = sigmoid(z.at(r, t, column(1)) + s[1]);
      const fresh = Math.tanh(z.at(r, t, column(2)) + reset * s[2]);
      [update, reset, fresh].forEach((x, gate) => void z.set(r, t, column(gate), exact(x), 1));
      sums.set(r, t, column(2), exact(s[2]), 1);
      return update * before + (1 - update) * fresh;
    });
    return { z: z.expected(), sums: sums.expected(), ...outputs };
  },

  gruBackward: (call) => {
    const layer = opened(call, 3);
    const [z, sums, previous] = [layer.tensor('z', 3), layer.tensor('sums', 3), layer.tensor('previous', 1)];
    backward(layer, (r, done, u, fromOthers, carry) => {
      const t = layer.times[done]!;
      const column = (gate: number) => gate * layer.n + u;
      const [update, reset, fresh] = indices(3).map((gate) => z.at(r, t, column(gate))) as [
        number,
        number,
        number,
      ];
      const dh = plus(fromOthers, carry);
      const dUpdate = times(dh, plus(exact(previous.at(r, t, u)), exact(-fresh)), update * (1 - update));
      const dFresh = times(dh, [1 - update, 1 + update], 1 - fresh * fresh);
      const dReset = times(dFresh, sums.at(r, t, column(2)), reset * (1 - reset));
      const errors = [dUpdate, dReset, times(dFresh, reset)];
      [dUpdate, dReset, dFresh].forEach((x, gate) => void z.set(r, t, column(gate), x));
      errors.forEach((x, gate) => void sums.set(r, t, column(gate), x));
      return { errors, carry: times(dh, update) };
    });
    return { z: z.expected(), sums: sums.expected() };
  },

  simpleRnnForward: (call) => {
    const layer = opened(call, 1);
    const z = layer.tensor('z', 1);
    const outputs = forward(layer, (r, t, u, recurrent) => {
      const h = Math.tanh(z.at(r, t, u) + recurrent(0));
      z.set(r, t, u, exact(h), 1);
      return h;
    });
    return { z: z.expected(), ...outputs };
  },

  simpleRnnBackward: (call) => {
    const layer = opened(call, 1);
    const z = layer.tensor('z', 1);
    backward(layer, (r, done, u, dh) => {
      const t = layer.times[done]!;
      const h = z.at(r, t, u);
      const error = times(dh, 1 - h * h);
      z.set(r, t, u, error);
      return { errors: [error], carry: ZERO };
    });
    return { z: z.expected() };
  },
} as const satisfies Record<string, Reference>;
