/*
 * Operators that compute along axes: sums, means and softmax.
 */
import { elementsOf } from '../../../../shared/graph/shape.js';
import { Untranslatable } from '../../untranslatable.js';
import { axisOf, sizesOf, tensorOf, type Value } from './operands.js';
import type { Operator } from './operator.js';
import { listOf, withAxis } from './shape-operators.js';

/** Sums or means along axes. */
const reduced =
  (isMean: boolean): Operator =>
  (use) => {
    const { builder, inputs, attribute } = use;
    const x = tensorOf(inputs[0]);
    const sizes = sizesOf(x);
    const given = listOf(use, 1, 'axes') ?? sizes.map((_, axis) => axis);
    const axes = given.map((axis) => axisOf(axis, sizes.length)).sort((a, b) => b - a);
    const keeps = attribute('keepdims') !== 0;
    let result: Value = x;
    let count = 1;
    for (const axis of axes) {
      const own = result.order[axis] as number;
      if (own === 0) throw new Untranslatable('a sum over the batch');
      count *= sizes[axis] as number;
      const tensor = builder.add({ op: 'reduceSum', inputs: [result.tensor], attributes: { axis: own - 1 } });
      const order = result.order.filter((at) => at !== own).map((at) => (at > own ? at - 1 : at));
      result = keeps ? withAxis(use, { tensor, order }, axis) : { tensor, order };
    }
    return isMean ? { tensor: builder.affine(result.tensor, 1 / count, 0), order: result.order } : result;
  };

/** Softmax along an axis; before version 13 along all axes from it on. */
const softmax =
  (op: 'softmax' | 'logSoftmax'): Operator =>
  ({ builder, inputs, attribute, opset }) => {
    const x = tensorOf(inputs[0]);
    const rank = x.order.length;
    const axis = axisOf((attribute('axis') as number | undefined) ?? (opset < 13 ? 1 : -1), rank);
    if (opset >= 13 || axis === rank - 1) {
      const { tensor, order } = builder.withLast(x, axis);
      return { tensor: builder.add({ op, inputs: [tensor] }), order };
    }
    const tensor = builder.canonical(x);
    const before = tensor.shape.slice(0, axis - 1);
    const flat = builder.reshape(tensor, [...before, elementsOf(tensor.shape.slice(axis - 1))]);
    return {
      tensor: builder.reshape(builder.add({ op, inputs: [flat] }), tensor.shape),
      order: x.order.map((_, at) => at),
    };
  };

export const AXIS_OPERATORS: Readonly<Record<string, Operator>> = {
  Softmax: softmax('softmax'),
  LogSoftmax: softmax('logSoftmax'),
  ReduceSum: reduced(false),
  ReduceMean: reduced(true),
};
