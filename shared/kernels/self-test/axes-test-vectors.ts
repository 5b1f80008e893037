import { input, output, type Size, updated } from './test-vector.js';

/** Orders of four axes; the last two keep the last axis, so that runs are copied. */
const ORDERS = [
  [0, 1, 3, 2],
  [3, 2, 1, 0],
  [0, 3, 1, 2],
  [1, 3, 0, 2],
  [0, 2, 1, 3],
  [2, 1, 0, 3],
] as const;

/** Test vectors of the kernels that rearrange elements. */
export const AXES_TEST_VECTORS = {
  copyRows: ({ rows, inner, cols }: Size) => ({
    a: input((rows - 1) * (cols + inner) + cols),
    out: updated((rows - 1) * (cols + 3) + cols),
    rows,
    width: cols,
    aPitch: cols + inner,
    outPitch: cols + 3,
  }),
  permuteAxes: ({ rows, inner, cols }: Size) => {
    const sizes = [2, 1 + (rows % 5), 1 + (inner % 19), cols] as const;
    const steps = sizes.map((_, axis) => sizes.slice(axis + 1).reduce((a, b) => a * b, 1));
    const order = ORDERS[(rows + inner + cols) % ORDERS.length] as readonly number[];
    const axes = order.map((axis) => ({ size: sizes[axis] as number, step: steps[axis] as number }));
    const [first, second, third, fourth] = axes as [Axis, Axis, Axis, Axis];
    const words = sizes.reduce((a, b) => a * b, 1);
    return {
      a: input(words),
      out: output(words),
      ...{ size0: 1, size1: first.size, size2: second.size, size3: third.size, size4: fourth.size },
      ...{ step0: 0, step1: first.step, step2: second.step, step3: third.step, step4: fourth.step },
    };
  },
  repeatRows: ({ rows, inner, cols }: Size) => {
    const times = 1 + (inner % 5);
    const tensors = { a: input(rows * cols), out: output(rows * times * cols) };
    return { ...tensors, rows, times, width: cols };
  },
  sumRepeats: ({ rows, inner, cols }: Size) => {
    const times = 1 + (inner % 5);
    const tensors = { a: input(rows * times * cols), out: output(rows * cols) };
    return { ...tensors, rows, times, width: cols };
  },
  orthonormalRows: ({ rows, cols }: Size) => {
    const count = Math.min(rows, cols);
    return { a: updated(count * cols, 'probability'), count, length: cols };
  },
} as const;

interface Axis {
  readonly size: number;
  readonly step: number;
}
