/*
 * reduceSum, along one axis, which disappears:  y = sum over the axis of x, from its first element on      dx = dy, repeated
 */
import * as v from 'valibot';
import { UserError } from '../../errors.js';
import { DIMENSIONS_MAX, elementsOf, formatShape } from '../shape.js';
import { type KernelOp, type OpCall, WITHOUT_PARAMETERS } from './op.js';

const ReduceSumAttributes = v.strictObject({
  axis: v.pipe(v.number(), v.integer(), v.minValue(0), v.maxValue(DIMENSIONS_MAX - 1)),
});
export type ReduceSumAttributes = v.InferOutput<typeof ReduceSumAttributes>;

export const reduceSumOp: KernelOp<ReduceSumAttributes> = {
  ...WITHOUT_PARAMETERS,
  attributes: ReduceSumAttributes,
  arity: { min: 1, max: 1 },
  shape({ name, inputs: [input], attributes: { axis } }) {
    if (axis < input.length) return input.filter((_, at) => at !== axis);
    throw new UserError(`layer ${name}: shape ${formatShape(input)} has no axis ${axis}; count axes from 0`);
  },
  backwardReads: { inputs: false, output: false },
  errorTerm: 'emitted',
  forward(to, call) {
    to.emit('sumRepeats', { a: call.x[0], out: call.y, ...repeatsOf(call) });
  },
  backward(to, call) {
    to.emit('repeatRows', { a: call.dy, out: call.dx[0], ...repeatsOf(call) });
  },
};

function repeatsOf({
  rows,
  inputs: [input],
  attributes: { axis },
}: Pick<OpCall<ReduceSumAttributes, never>, 'rows' | 'inputs' | 'attributes'>) {
  return {
    rows: rows * elementsOf(input.slice(0, axis)),
    times: input[axis] as number,
    width: elementsOf(input.slice(axis + 1)),
  };
}
