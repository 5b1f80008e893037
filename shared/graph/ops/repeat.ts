/*
 * repeat, along a new axis:  y = x, `times` times      dx = sum over the axis of dy, from its first element on
 */
import * as v from 'valibot';
import { UserError } from '../../errors.js';
import { DIMENSIONS_MAX, elementsOf, formatShape } from '../shape.js';
import { type KernelOp, type OpCall, Size, WITHOUT_PARAMETERS } from './op.js';

const RepeatAttributes = v.strictObject({
  axis: v.pipe(v.number(), v.integer(), v.minValue(0), v.maxValue(DIMENSIONS_MAX - 1)),
  times: Size,
});
export type RepeatAttributes = v.InferOutput<typeof RepeatAttributes>;

export const repeatOp: KernelOp<RepeatAttributes> = {
  ...WITHOUT_PARAMETERS,
  attributes: RepeatAttributes,
  arity: { min: 1, max: 1 },
  shape({ name, inputs: [input], attributes: { axis, times } }) {
    if (axis <= input.length) return [...input.slice(0, axis), times, ...input.slice(axis)];
    throw new UserError(
      `layer ${name}: shape ${formatShape(input)} cannot have a new axis ${axis}; take ${input.length} at most`,
    );
  },
  backwardReads: { inputs: false, output: false },
  errorTerm: 'emitted',
  forward(to, call) {
    to.emit('repeatRows', { a: call.x[0], out: call.y, ...repeatsOf(call) });
  },
  backward(to, call) {
    to.emit('sumRepeats', { a: call.dy, out: call.dx[0], ...repeatsOf(call) });
  },
};

function repeatsOf({
  rows,
  inputs: [input],
  attributes: { axis, times },
}: Pick<OpCall<RepeatAttributes, never>, 'rows' | 'inputs' | 'attributes'>) {
  return {
    rows: rows * elementsOf(input.slice(0, axis)),
    times,
    width: elementsOf(input.slice(axis)),
  };
}
