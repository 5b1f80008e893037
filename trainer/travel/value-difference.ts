import type { Checkpoint } from '../../coordinator/storage/checkpoint.js';
import type { Tensor } from '../../shared/files/tensors.js';

/** The first place where two vectors differ in bits, and how many do. */
export interface ValueDifference {
  readonly index: number;
  /** Of the first run and of the second. */
  readonly values: readonly [number, number];
  /** The same as the bits of float32, in hexadecimal. */
  readonly bits: readonly [string, string];
  /** Elements that differ. */
  readonly count: number;
}

/** The same in a named tensor. */
export type TensorDifference = ValueDifference & {
  readonly name: string;
  /** Coordinates of the element in the tensor. */
  readonly at: readonly number[];
};

/** The vectors of a state. */
export type StateVectors = Pick<Checkpoint, 'parameters' | 'buffers' | 'residual'>;

const NAN_BITS = 0x7fc00000;

/** Compares bit by bit; all NaN are equal. @returns undefined when nothing differs */
export function valueDifference(a: Float32Array, b: Float32Array): ValueDifference | undefined {
  let index = -1;
  let count = Math.abs(a.length - b.length);
  const [x, y] = [bitsOf(a), bitsOf(b)];
  for (let i = 0; i < Math.min(x.length, y.length); i++) {
    if (x[i] === y[i] || (Number.isNaN(a[i]) && Number.isNaN(b[i]))) continue;
    if (index < 0) index = i;
    count += 1;
  }
  if (index < 0) return undefined;
  return {
    index,
    values: [a[index] as number, b[index] as number],
    bits: [hexOf(x[index] as number), hexOf(y[index] as number)],
    count,
  };
}

/** All named tensors that differ, each with its first difference. */
function tensorDifferences(a: readonly Tensor[], b: readonly Tensor[]): TensorDifference[] {
  return a.flatMap(({ name, shape, values }) => {
    const other = b.find((tensor) => tensor.name === name);
    const difference = other && valueDifference(values, other.values);
    return difference === undefined
      ? []
      : [{ name, at: coordinates(difference.index, shape), ...difference }];
  });
}

/** What differs first in two states; see stateDifferences. */
export function stateDifference(a: StateVectors, b: StateVectors): TensorDifference | undefined {
  return stateDifferences(a, b)[0];
}

/** What differs in two states: the weights first, then the vectors of the optimizer, then what a codec has taken. */
export function stateDifferences(a: StateVectors, b: StateVectors): TensorDifference[] {
  const named = ({ parameters, buffers, residual = [] }: StateVectors): Tensor[] => [
    ...parameters,
    ...buffers.flatMap((vectors, i) =>
      vectors.map((tensor) => ({ ...tensor, name: `optimizer vector ${i} of ${tensor.name}` })),
    ),
    ...residual.map((tensor) => ({ ...tensor, name: `residual of ${tensor.name}` })),
  ];
  return tensorDifferences(named(a), named(b));
}

/** Coordinates of an element of a row-major array. */
export function coordinates(index: number, shape: readonly number[]): number[] {
  const at: number[] = [];
  let rest = index;
  for (const size of [...shape].reverse()) {
    at.unshift(rest % size);
    rest = Math.floor(rest / size);
  }
  return at;
}

function bitsOf(values: Float32Array): Uint32Array {
  return new Uint32Array(values.buffer, values.byteOffset, values.length);
}

/** The bits of a float32 as 0x and eight digits. */
function hexOf(bits: number): string {
  return `0x${bits.toString(16).padStart(8, '0')}`;
}

/** The bits of a float32 value. @returns undefined for NaN, which has many */
export function floatBits(value: number): number {
  return Number.isNaN(value) ? NAN_BITS : (new Uint32Array(Float32Array.of(value).buffer)[0] as number);
}
