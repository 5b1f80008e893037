/*
 * The loops over time of the references of recurrent kernels: one row, one step and one unit at a time.
 *
 * Error terms that come from the step after are sums that may cancel; their errors are relative to the magnitudes of the
 * terms. So everything is computed a second time with magnitudes in place of numbers (`Sized`).
 */
import { type Call, type Expected, indices } from './expected.js';

/** Rounding errors grow from step to step; a sigmoid passes on a quarter of the error of its argument. */
const ULPS = 2000;

/** A number, and the magnitude to which its error is relative. */
export type Sized = readonly [value: number, size: number];

export const ZERO: Sized = [0, 0];
export const exact = (x: number): Sized => [x, Math.abs(x)];
export const plus = (...terms: readonly Sized[]): Sized =>
  terms.reduce(([a, sizeA], [b, sizeB]) => [a + b, sizeA + sizeB], ZERO);
export const times = (...factors: readonly (Sized | number)[]): Sized =>
  factors.map((x) => (typeof x === 'number' ? exact(x) : x)).reduce(([a, sa], [b, sb]) => [a * b, sa * sb]);
export const sigmoid = (x: number): number => 1 / (1 + Math.exp(-x));

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

  /** The errors of bounded functions are relative to their bound. */
  set(r: number, t: number, i: number, [value, size]: Sized, bound = 0): void {
    this.values[this.index(r, t, i)] = value;
    this.sizes[this.index(r, t, i)] = Math.max(size, bound);
  }

  sized(r: number, t: number, i: number): Sized {
    return [this.at(r, t, i), this.sizes[this.index(r, t, i)]!];
  }

  expected(): Expected {
    return { values: this.values, sizes: this.sizes, ulps: ULPS };
  }

  private index(r: number, t: number, i: number): number {
    return (r * this.steps + t) * this.width + i;
  }
}

export function expectedOf(tensors: Record<string, Tensor | undefined>): Record<string, Expected> {
  const written = Object.entries(tensors).flatMap(([name, tensor]) =>
    tensor ? [[name, tensor.expected()]] : [],
  );
  return Object.fromEntries(written);
}

/** The sizes of a call, and its tensors by argument. */
export function opened({ args, f32 }: Call, gates: number) {
  const { rows, steps, units, sequences, reverse, withCell = 0, mask = 0 } = args as Record<string, number>;
  const weights = f32('weights');
  const places = (sequences === 1 ? steps! : 1) + withCell;
  return {
    rows: indices(rows!),
    units: indices(units!),
    n: units!,
    /** Times in the order of computation. */
    times: reverse === 1 ? indices(steps!).reverse() : indices(steps!),
    tensor: (name: string, width: number) => new Tensor(f32(name), steps!, width * units!),
    output: (name: string) => new Tensor(f32(name), places, units!),
    /** The place of the output of the step at `time`; undefined where there is none. */
    place: (time: number, isLast: boolean) => (sequences === 1 ? time : isLast ? 0 : undefined),
    /** The place of the final cell in an output. */
    cellPlace: withCell === 1 ? places - 1 : undefined,
    weight: (k: number, column: number) => weights[k * gates * units! + column]!,
    isPadding: (r: number, t: number) => mask !== 0 && f32('mask')[r * steps! + t] === 0,
    /** The initial output or cell of a row. */
    first: (name: string, r: number) =>
      indices(units!).map((u) => (args[name] === 0 ? 0 : f32(name)[r * units! + u]!)),
    /** Tensor for the error terms of the initial output or cell. */
    firstErrors: (name: string) =>
      args[name] === 0 ? undefined : new Tensor(new Float32Array(rows! * units!), 1, units!),
  };
}

type Opened = ReturnType<typeof opened>;

/** Forward through time: `step` returns the output of unit u, given the recurrent products of its gates. */
export function forward(
  { rows, units, n, times: walk, output, tensor, place, weight, isPadding, first }: Opened,
  step: (r: number, t: number, u: number, recurrent: (gate: number) => number, before: number) => number,
): { y: Tensor; previous: Tensor } {
  const [y, previous] = [output('y'), tensor('previous', 1)];
  for (const r of rows) {
    let h = first('start', r);
    walk.forEach((t, done) => {
      h.forEach((x, u) => void previous.set(r, t, u, exact(x), done === 0 ? 0 : 1));
      const before = h;
      const product = (u: number) => (gate: number) =>
        before.reduce((sum, x, k) => sum + x * weight(k, gate * n + u), 0);
      if (!isPadding(r, t)) h = units.map((u) => step(r, t, u, product(u), before[u]!));
      const at = place(t, done === walk.length - 1);
      if (at !== undefined) h.forEach((x, u) => void y.set(r, at, u, exact(x), 1));
    });
  }
  return { y, previous };
}

/** Error terms that a step of a unit gives to the step before: of its gates, and of c and h without the product. */
interface StepErrors {
  readonly errors: readonly Sized[];
  readonly carry: Sized;
  readonly held: Sized;
}

/** Backward through time: `step` returns the error terms of unit u, given its dh. @returns error terms of the initial state */
export function backward(
  layer: Opened,
  step: (r: number, done: number, u: number, dh: Sized, carry: Sized) => Omit<StepErrors, 'held'>,
  gates: number,
): { dStart: Tensor | undefined; carry: Tensor | undefined } {
  const { rows, units, n, times: walk, output, place, cellPlace, weight, isPadding, firstErrors } = layer;
  const dy = output('dy');
  const [dStart, carries] = [firstErrors('dStart'), firstErrors('dStart')];
  const product = (u: number, later: readonly StepErrors[]): Sized => {
    let [value, size] = later[u]!.held;
    later.forEach(({ errors }, k) => {
      errors.forEach(([error, magnitude], gate) => {
        value += error * weight(u, gate * n + k);
        size += magnitude * Math.abs(weight(u, gate * n + k));
      });
    });
    return [value, size];
  };
  const none = indices(gates).map(() => ZERO);
  for (const r of rows) {
    let errorsOfNext: StepErrors[] = units.map((u) => ({
      errors: none,
      carry: cellPlace === undefined ? ZERO : exact(dy.at(r, cellPlace, u)),
      held: ZERO,
    }));
    for (const done of indices(walk.length).reverse()) {
      const at = place(walk[done]!, done === walk.length - 1);
      const later = errorsOfNext;
      errorsOfNext = units.map((u) => {
        const dh = plus(at === undefined ? ZERO : exact(dy.at(r, at, u)), product(u, later));
        const { carry } = later[u]!;
        if (isPadding(r, walk[done]!)) return { errors: none, carry, held: dh };
        return { ...step(r, done, u, dh, carry), held: ZERO };
      });
    }
    for (const u of units) {
      dStart?.set(r, 0, u, product(u, errorsOfNext));
      carries?.set(r, 0, u, errorsOfNext[u]!.carry);
    }
  }
  return { dStart, carry: carries };
}

/** Sets the error terms of padding to 0. */
export function clearPadding(
  { rows, times: walk, units, isPadding, n }: Opened,
  tensor: Tensor,
  gates: number,
): void {
  for (const r of rows)
    for (const t of walk)
      for (const u of units)
        for (const gate of indices(gates)) if (isPadding(r, t)) tensor.set(r, t, gate * n + u, ZERO);
}
