/*
 * slice, along one axis:  y = x from index `from` (included) to `to` (excluded)      dx = dy there, else 0
 */
import * as v from 'valibot';
import { UserError } from '../../errors.js';
import { DIMENSIONS_MAX, elementsOf, formatShape } from '../shape.js';
import { type KernelOp, type OpCall, Size, WITHOUT_PARAMETERS } from './op.js';

const SliceAttributes = v.strictObject({
  axis: v.pipe(v.number(), v.integer(), v.minValue(0), v.maxValue(DIMENSIONS_MAX - 1)),
  from: v.pipe(v.number(), v.integer(), v.minValue(0)),
  to: Size,
});
export type SliceAttributes = v.InferOutput<typeof SliceAttributes>;

export const sliceOp: KernelOp<SliceAttributes> = {
  ...WITHOUT_PARAMETERS,
  attributes: SliceAttributes,
  arity: { min: 1, max: 1 },
  shape({ name, inputs: [input], attributes: { axis, from, to } }) {
    const size = input[axis];
    if (size === undefined || from >= to || to > size) {
      throw new UserError(
        `layer ${name}: ${from} to ${to} is not a range of axis ${axis} of shape ${formatShape(input)}; ` +
          'use indices inside of the axis',
      );
    }
    return input.map((own, at) => (at === axis ? to - from : own));
  },
  backwardReads: { inputs: false, output: false },
  errorTerm: 'emitted',
  forward(to, call) {
    const { rows, pitch, width, offset } = rangeOf(call);
    to.emit('copyRows', { a: call.x[0] + offset, out: call.y, rows, width, aPitch: pitch, outPitch: width });
  },
  backward(to, call) {
    const { rows, pitch, width, offset } = rangeOf(call);
    const [dx] = call.dx;
    to.emit('fill', { out: dx, n: rows * pitch, value: 0 });
    to.emit('copyRows', { a: call.dy, out: dx + offset, rows, width, aPitch: width, outPitch: pitch });
  },
};

/** The input as rows of `pitch` floats; of each row `width` floats are taken, from the byte offset on. */
function rangeOf({
  rows,
  inputs: [input],
  attributes: { axis, from, to },
}: Pick<OpCall<SliceAttributes, never>, 'rows' | 'inputs' | 'attributes'>) {
  const inner = elementsOf(input.slice(axis + 1));
  return {
    rows: rows * elementsOf(input.slice(0, axis)),
    pitch: (input[axis] as number) * inner,
    width: (to - from) * inner,
    offset: from * inner * 4,
  };
}
