/*
 * Operators that move elements: shapes, axes, parts. On constants they compute; on tensors they add nodes, or only change where the
 * axes are.
 */
import { elementsOf } from '../../../../shared/graph/shape.js';
import { reordered } from '../../reordered.js';
import { Untranslatable } from '../../untranslatable.js';
import {
  axisOf,
  type Constant,
  expandConstant,
  inOrder,
  isConstant,
  numbersOf,
  type Operand,
  sizesOf,
  tensorOf,
  type Value,
} from './operands.js';
import type { Operator, OperatorUse } from './operator.js';

/** A list of whole numbers: an input, or in older operators an attribute. */
export function listOf(use: OperatorUse, input: number, attribute: string): number[] | undefined {
  const given = use.inputs[input];
  if (given !== undefined) return numbersOf(given, attribute);
  const own = use.attribute(attribute);
  return own === undefined ? undefined : [...(own as readonly number[])];
}

/** A list of numbers. */
export const list = (values: readonly number[]): Constant => ({
  name: '',
  shape: [values.length],
  values: Float64Array.from(values),
});

const same: Operator = ({ inputs: [x] }) => x as Operand;

const reshape: Operator = (use) => {
  const { builder, inputs } = use;
  const target = listOf(use, 1, 'shape') ?? [];
  const x = inputs[0] as Operand;
  if (isConstant(x)) return { ...x, shape: resolvedSizes(target, x.shape, x.values.length) };
  const sizes = sizesOf(x);
  // Axes before the first that changes stay; the batch is one of them.
  let kept = 0;
  while (
    kept < target.length &&
    kept < sizes.length &&
    isSameSize(target[kept] as number, sizes[kept] as number)
  )
    kept++;
  const batch = x.order.indexOf(0);
  if (kept <= batch) {
    // A batch of one, or one that is left open, as the first axis.
    if (batch === 0 && [1, -1].includes(target[0] as number)) kept = 1;
    else throw new Untranslatable('a reshape across the batch');
  }
  const before = x.order.slice(0, kept).filter((axis) => axis !== 0);
  const want = wanted(x);
  const tensor = builder.arranged(x, want);
  const fixed = tensor.shape.slice(0, before.length);
  const rest = resolvedSizes(
    target.slice(kept),
    sizes.slice(kept),
    elementsOf(tensor.shape.slice(before.length)),
  );
  const result = builder.reshape(tensor, [...fixed, ...rest]);
  const order = [...want.slice(0, kept), ...rest.map((_, i) => before.length + 1 + i)];
  return { tensor: result, order };
};

/** The axes of a sample in the order of ONNX. */
function wanted({ order }: Value): number[] {
  let next = 1;
  return order.map((axis) => (axis === 0 ? 0 : next++));
}

const isSameSize = (target: number, size: number): boolean =>
  target === 0 || target === size || (Number.isNaN(target) && Number.isNaN(size));

/** Sizes with -1 and 0 filled in. */
function resolvedSizes(target: readonly number[], from: readonly number[], elements: number): number[] {
  const sizes = target.map((size, axis) => (size === 0 ? (from[axis] ?? 0) : size));
  const known = sizes.filter((size) => size !== -1).reduce((product, size) => product * size, 1);
  const result = sizes.map((size) => (size === -1 ? elements / known : size));
  if (elementsOf(result) === elements && result.every(Number.isInteger)) return result;
  throw new Untranslatable(`a reshape of ${elements} elements to [${target.join(', ')}]`);
}

const transpose: Operator = ({ inputs, attribute }) => {
  const x = inputs[0] as Operand;
  const rank = sizesOf(x).length;
  const perm =
    (attribute('perm') as readonly number[] | undefined) ?? sizesOf(x).map((_, axis) => rank - 1 - axis);
  if (!isConstant(x)) return { tensor: x.tensor, order: perm.map((axis) => x.order[axis] as number) };
  const values = reordered(Float32Array.from(x.values), x.shape, perm);
  return { name: x.name, shape: perm.map((axis) => x.shape[axis] as number), values };
};

const squeeze: Operator = (use) => {
  const x = use.inputs[0] as Operand;
  const sizes = sizesOf(x);
  const axes = (listOf(use, 1, 'axes') ?? sizes.flatMap((size, axis) => (size === 1 ? [axis] : []))).map(
    (axis) => axisOf(axis, sizes.length),
  );
  if (isConstant(x)) return { ...x, shape: x.shape.filter((_, axis) => !axes.includes(axis)) };
  const gone = axes.map((axis) => x.order[axis] as number);
  if (gone.includes(0)) throw new Untranslatable('a squeeze of the batch');
  const tensor = use.builder.reshape(
    x.tensor,
    x.tensor.shape.filter((_, axis) => !gone.includes(axis + 1)),
  );
  const order = x.order
    .filter((axis) => !gone.includes(axis))
    .map((axis) => axis - gone.filter((other) => other < axis).length);
  return { tensor, order };
};

const unsqueeze: Operator = (use) => {
  const x = use.inputs[0] as Operand;
  const given = listOf(use, 1, 'axes') ?? [];
  const rank = sizesOf(x).length + given.length;
  const axes = given.map((axis) => axisOf(axis, rank)).sort((a, b) => a - b);
  if (isConstant(x)) {
    const shape = [...x.shape];
    for (const axis of axes) shape.splice(axis, 0, 1);
    return { ...x, shape };
  }
  return axes.reduce((value, axis) => withAxis(use, value, axis), x);
};

/** With a further axis of one element. */
export function withAxis({ builder }: OperatorUse, { tensor, order }: Value, axis: number): Value {
  const result = builder.reshape(tensor, [...tensor.shape, 1]);
  return { tensor: result, order: [...order.slice(0, axis), order.length, ...order.slice(axis)] };
}

const flatten: Operator = ({ builder, inputs, attribute }) => {
  const axis = (attribute('axis') as number | undefined) ?? 1;
  if (axis !== 1) throw new Untranslatable(`axis ${axis}`);
  const tensor = builder.canonical(tensorOf(inputs[0]));
  return inOrder(builder.reshape(tensor, [elementsOf(tensor.shape)]));
};

const expand: Operator = (use) => {
  const { builder, inputs } = use;
  const x = inputs[0] as Operand;
  const target = numbersOf(inputs[1], 'sizes').map((size) => (Number.isNaN(size) ? 1 : size));
  const sizes = sizesOf(x);
  const rank = Math.max(target.length, sizes.length);
  const to = target.length < rank ? [...sizes.slice(0, rank - target.length), ...target] : target;
  if (isConstant(x)) {
    const own = [...Array.from({ length: rank - sizes.length }, () => 1), ...sizes];
    return expandConstant(
      x,
      own.map((size, axis) => Math.max(size, to[axis] as number)),
    );
  }
  if (sizes.length < rank) throw new Untranslatable('an expansion to further axes');
  const tensor = x.order.reduce(
    (result, own, axis) =>
      own !== 0 && sizes[axis] === 1 ? builder.expanded(result, own - 1, to[axis] as number) : result,
    x.tensor,
  );
  return { tensor, order: x.order };
};

/** Copies along axes, one after another. */
const tile: Operator = (use) => {
  const { builder, inputs } = use;
  const { tensor, order } = tensorOf(inputs[0]);
  const repeats = numbersOf(inputs[1], 'repeats');
  const result = order.reduce((x, own, axis) => {
    const times = repeats[axis] as number;
    if (times === 1) return x;
    if (own === 0) throw new Untranslatable('copies of the batch');
    if (x.shape[own - 1] === 1) return builder.expanded(x, own - 1, times);
    const copies = Array.from({ length: times }, () => x);
    return builder.add({ op: 'concatenate', inputs: copies, attributes: { axis: own - 1 } });
  }, tensor);
  return { tensor: result, order };
};

const constantOfShape: Operator = ({ inputs, attribute }) => {
  // A batch of one: what is computed with it is the same for all samples.
  const shape = numbersOf(inputs[0], 'sizes').map((size) => (Number.isNaN(size) ? 1 : size));
  const value = (attribute('value') as { readonly values: ArrayLike<number> } | undefined)?.values[0] ?? 0;
  return { name: '', shape, values: new Float64Array(elementsOf(shape)).fill(value) };
};

export const SHAPE_OPERATORS: Readonly<Record<string, Operator>> = {
  Identity: same,
  Dropout: same,
  Cast: same,
  Reshape: reshape,
  Flatten: flatten,
  Transpose: transpose,
  Squeeze: squeeze,
  Unsqueeze: unsqueeze,
  Expand: expand,
  Tile: tile,
  ConstantOfShape: constantOfShape,
  Shape: ({ inputs: [x] }) => list(sizesOf(x as Operand)),
};
