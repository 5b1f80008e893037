/*
 * permute:  y[i_1, i_2, ...] = x with its axes in another order: axis k of y is axis dims[k] of x, counted from 1
 *           dx = dy with the axes in their original order
 */
import * as v from 'valibot';
import { UserError } from '../../errors.js';
import { DIMENSIONS_MAX, elementsOf, formatShape, type Shape } from '../shape.js';
import { type KernelOp, type KernelSink, WITHOUT_PARAMETERS } from './op.js';

const PermuteAttributes = v.strictObject({
  dims: v.pipe(
    v.array(v.pipe(v.number(), v.integer(), v.minValue(1), v.maxValue(DIMENSIONS_MAX))),
    v.maxLength(DIMENSIONS_MAX),
  ),
});
export type PermuteAttributes = v.InferOutput<typeof PermuteAttributes>;

/** Number of axes of the kernel, rows included. */
const KERNEL_AXES = 5;

export const permuteOp: KernelOp<PermuteAttributes> = {
  ...WITHOUT_PARAMETERS,
  attributes: PermuteAttributes,
  arity: { min: 1, max: 1 },
  shape({ name, inputs: [input], attributes: { dims } }) {
    const isOrder = dims.length === input.length && input.every((_, axis) => dims.includes(axis + 1));
    if (!isOrder) {
      throw new UserError(
        `layer ${name}: [${dims.join(', ')}] is not a permutation of the axes of ${formatShape(input)}; ` +
          `use each of 1 to ${input.length} once`,
      );
    }
    // With two rows: with one row the axis of the samples would be left out.
    if (mergedAxes(2, input, dims).length > KERNEL_AXES) {
      throw new UserError(
        `layer ${name}: [${dims.join(', ')}] splits the axes of ${formatShape(input)} into more than ${KERNEL_AXES - 1} ` +
          'groups; use two permute layers, one after the other',
      );
    }
    return dims.map((axis) => input[axis - 1] as number);
  },
  backwardReads: { inputs: false, output: false },
  errorTerm: 'emitted',
  forward(to, { rows, inputs: [input], attributes: { dims }, x, y }) {
    emitPermutation(to, { a: x[0], out: y }, mergedAxes(rows, input, dims));
  },
  backward(to, { rows, output, attributes: { dims }, dy, dx }) {
    const back = dims.map((_, axis) => dims.indexOf(axis + 1) + 1);
    emitPermutation(to, { a: dy, out: dx[0] }, mergedAxes(rows, output, back));
  },
};

/** An axis of the result: its size, and the distance of its elements in the input. */
interface Axis {
  readonly size: number;
  readonly step: number;
}

/** The axes of the result, rows first. Axes that stay adjacent are merged, and axes of size 1 are left out. */
function mergedAxes(rows: number, shape: Shape, dims: readonly number[]): Axis[] {
  const steps = shape.map((_, axis) => elementsOf(shape.slice(axis + 1)));
  const axes = dims.map((axis) => ({ size: shape[axis - 1] as number, step: steps[axis - 1] as number }));
  const merged: Axis[] = [];
  for (const axis of [{ size: rows, step: elementsOf(shape) }, ...axes]) {
    if (axis.size === 1) continue;
    const before = merged.at(-1);
    if (before !== undefined && before.step === axis.size * axis.step)
      merged.splice(-1, 1, { size: before.size * axis.size, step: axis.step });
    else merged.push(axis);
  }
  return merged;
}

function emitPermutation(to: KernelSink, tensors: { a: number; out: number }, axes: readonly Axis[]): void {
  const none: Axis = { size: 1, step: 1 };
  const missing = Array.from({ length: KERNEL_AXES - axes.length }, () => none);
  const [i0 = none, i1 = none, i2 = none, i3 = none, i4 = none] = [...missing, ...axes];
  to.emit('permuteAxes', {
    ...tensors,
    ...{ size0: i0.size, size1: i1.size, size2: i2.size, size3: i3.size, size4: i4.size },
    ...{ step0: i0.step, step1: i1.step, step2: i2.step, step3: i3.step, step4: i4.step },
  });
}
