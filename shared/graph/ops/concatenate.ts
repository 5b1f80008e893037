/*
 * concatenate, along one axis:  y = [x_1, x_2, ...]      dx_i = the part of dy at the position of x_i
 */
import * as v from 'valibot';
import { UserError } from '../../errors.js';
import { DIMENSIONS_MAX, elementsOf, formatShape, type Shape, sameShape } from '../shape.js';
import { type KernelOp, type OpCall, WITHOUT_PARAMETERS } from './op.js';

const ConcatenateAttributes = v.strictObject({
  axis: v.pipe(v.number(), v.integer(), v.minValue(0), v.maxValue(DIMENSIONS_MAX - 1)),
});
export type ConcatenateAttributes = v.InferOutput<typeof ConcatenateAttributes>;

export const concatenateOp: KernelOp<ConcatenateAttributes> = {
  ...WITHOUT_PARAMETERS,
  attributes: ConcatenateAttributes,
  arity: { min: 2, max: 64 },
  shape({ name, inputs: [first, ...others], attributes: { axis } }) {
    if (axis >= first.length)
      throw new UserError(`layer ${name}: inputs of shape ${formatShape(first)} have no axis ${axis}`);
    const without = (shape: Shape): Shape => shape.filter((_, at) => at !== axis);
    const other = others.find(
      (shape) => shape.length !== first.length || !sameShape(without(shape), without(first)),
    );
    if (other !== undefined) {
      throw new UserError(
        `layer ${name}: inputs of shapes ${formatShape(first)} and ${formatShape(other)} cannot be concatenated ` +
          `along axis ${axis}; all other axes must have the same size`,
      );
    }
    const size = [first, ...others].reduce((sum, shape) => sum + (shape[axis] as number), 0);
    return first.map((own, at) => (at === axis ? size : own));
  },
  backwardReads: { inputs: false, output: false },
  errorTerm: 'emitted',
  forward(to, call) {
    const { rows, pitch, parts } = partsOf(call);
    parts.forEach(({ width, offset }, i) => {
      const size = { rows, width, aPitch: width, outPitch: pitch };
      to.emit('copyRows', { a: call.x[i] as number, out: call.y + offset, ...size });
    });
  },
  backward(to, call) {
    const { rows, pitch, parts } = partsOf(call);
    parts.forEach(({ width, offset }, i) => {
      const out = call.dx[i] as number;
      if (out !== 0)
        to.emit('copyRows', { a: call.dy + offset, out, rows, width, aPitch: pitch, outPitch: width });
    });
  },
};

/** The output as rows of `pitch` floats, and for each input its floats of a row and the byte offset in the row. */
function partsOf({
  rows,
  inputs,
  output,
  attributes: { axis },
}: Pick<OpCall<ConcatenateAttributes, never>, 'rows' | 'inputs' | 'output' | 'attributes'>) {
  let end = 0;
  const parts = inputs.map((shape) => {
    const width = elementsOf(shape.slice(axis));
    const offset = end * 4;
    end += width;
    return { width, offset };
  });
  return { rows: rows * elementsOf(output.slice(0, axis)), pitch: end, parts };
}
