/*
 * Operators that put parts together and take them apart.
 */

import { Untranslatable } from '../../untranslatable.js';
import {
  axisOf,
  constantOf,
  isConstant,
  type Operand,
  scalarOf,
  sizesOf,
  tensorOf,
  type Value,
} from './operands.js';
import type { Operator, OperatorUse } from './operator.js';
import { list, listOf } from './shape-operators.js';

const concat: Operator = ({ builder, inputs, attribute }) => {
  const operands = inputs as readonly Operand[];
  const [first] = operands as [Operand];
  const axis = axisOf((attribute('axis') as number | undefined) ?? 0, sizesOf(first).length);
  if (operands.every(isConstant)) {
    if (operands.some(({ shape }) => shape.length !== 1))
      throw new Untranslatable('constants of several axes');
    return list(operands.flatMap(({ values }) => [...values]));
  }
  if (operands.length === 1) return first;
  const { order } = tensorOf(first);
  const own = order[axis] as number;
  if (own === 0) throw new Untranslatable('a concatenation of batches');
  const tensors = operands.map((operand) => builder.arranged(tensorOf(operand), order));
  return {
    tensor: builder.add({ op: 'concatenate', inputs: tensors, attributes: { axis: own - 1 } }),
    order,
  };
};

/** A range of an axis of ONNX. */
function sliced(
  { builder }: OperatorUse,
  { tensor, order }: Value,
  axis: number,
  from: number,
  to: number,
): Value {
  const own = order[axis] as number;
  const size = tensor.shape[own - 1];
  if (size === undefined) throw new Untranslatable('a part of the batch');
  if (from === 0 && to === size) return { tensor, order };
  return {
    tensor: builder.add({ op: 'slice', inputs: [tensor], attributes: { axis: own - 1, from, to } }),
    order,
  };
}

const slice: Operator = (use) => {
  const x = use.inputs[0] as Operand;
  const sizes = sizesOf(x);
  const starts = listOf(use, 1, 'starts') ?? [];
  const ends = listOf(use, 2, 'ends') ?? [];
  const axes = (listOf(use, 3, 'axes') ?? starts.map((_, i) => i)).map((axis) => axisOf(axis, sizes.length));
  const steps = listOf(use, 4, 'steps') ?? starts.map(() => 1);
  if (steps.some((step) => step !== 1)) throw new Untranslatable('steps other than 1');
  const bound = (index: number, size: number): number =>
    Math.min(size, Math.max(0, index < 0 ? index + size : index));
  if (isConstant(x)) {
    if (x.shape.length !== 1) throw new Untranslatable('a part of a constant of several axes');
    const size = x.values.length;
    return list([...x.values.slice(bound(starts[0] as number, size), bound(ends[0] as number, size))]);
  }
  return axes.reduce((value, axis, i) => {
    const size = sizes[axis] as number;
    if (Number.isNaN(size)) {
      if (starts[i] === 0 && (ends[i] as number) >= 2 ** 31 - 1) return value;
      throw new Untranslatable('a part of the batch');
    }
    return sliced(use, value, axis, bound(starts[i] as number, size), bound(ends[i] as number, size));
  }, x);
};

const split: Operator = (use) => {
  const x = tensorOf(use.inputs[0]);
  const sizes = sizesOf(x);
  const axis = axisOf((use.attribute('axis') as number | undefined) ?? 0, sizes.length);
  const size = sizes[axis] as number;
  const parts =
    listOf(use, 1, 'split') ?? Array.from({ length: use.outputs }, () => Math.ceil(size / use.outputs));
  let from = 0;
  return parts.map((part) => {
    const to = Math.min(size, from + part);
    const value = sliced(use, x, axis, from, to);
    from = to;
    return value;
  });
};

/** A table of vectors, an element of a list of sizes, or a place on an axis. */
const gather: Operator = (use) => {
  const { builder, inputs, attribute } = use;
  const [data, indices] = inputs as readonly [Operand, Operand];
  const axis = axisOf((attribute('axis') as number | undefined) ?? 0, sizesOf(data).length);
  if (isConstant(data) && isConstant(indices)) {
    if (data.shape.length !== 1) throw new Untranslatable('parts of a constant of several axes');
    const values = Float64Array.from(
      indices.values,
      (i) => data.values[i < 0 ? i + data.values.length : i] as number,
    );
    return { name: data.name, shape: indices.shape, values };
  }
  if (isConstant(data)) {
    if (data.shape.length !== 2 || axis !== 0) throw new Untranslatable('a table of other than two axes');
    const [entries, width] = data.shape as readonly [number, number];
    const { tensor, order } = tensorOf(indices);
    const result = builder.add({
      op: 'embedding',
      inputs: [tensor],
      attributes: { entries, width },
      weights: { table: { shape: [entries, width], values: Float32Array.from(data.values) } },
      after: data.name,
    });
    return { tensor: result, order: [...order, order.length] };
  }
  const at = scalarOf(indices);
  if (at === undefined) throw new Untranslatable('several places of a tensor');
  const size = sizesOf(data)[axis] as number;
  const from = at < 0 ? at + size : at;
  const part = sliced(use, tensorOf(data), axis, from, from + 1);
  if (constantOf(indices, 'indices').shape.length === 1) return part;
  return squeezed(use, part, axis);
};

/** Without an axis of one element. */
function squeezed({ builder }: OperatorUse, { tensor, order }: Value, axis: number): Value {
  const own = order[axis] as number;
  const result = builder.reshape(
    tensor,
    tensor.shape.filter((_, at) => at !== own - 1),
  );
  return { tensor: result, order: order.filter((at) => at !== own).map((at) => (at > own ? at - 1 : at)) };
}

export const PART_OPERATORS: Readonly<Record<string, Operator>> = {
  Concat: concat,
  Slice: slice,
  Split: split,
  Gather: gather,
};
