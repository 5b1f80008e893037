import type { Tensor } from '../../shared/files/tensors.js';
import { elementsOf, type Shape } from '../../shared/graph/shape.js';
/** Float32 values with the axes in another order. @param order for each axis of the result, the axis of `values` */
export function reordered(values: Float32Array, shape: Shape, order: readonly number[]): Float32Array {
  const strides = shape.map((_, axis) => elementsOf(shape.slice(axis + 1)));
  const sizes = order.map((axis) => shape[axis] as number);
  const steps = order.map((axis) => strides[axis] as number);
  const result = new Float32Array(values.length);
  const index = sizes.map(() => 0);
  let from = 0;
  for (let at = 0; at < result.length; at++) {
    result[at] = values[from] as number;
    for (let axis = sizes.length - 1; axis >= 0; axis--) {
      index[axis] = (index[axis] as number) + 1;
      from += steps[axis] as number;
      if ((index[axis] as number) < (sizes[axis] as number)) break;
      from -= (steps[axis] as number) * (sizes[axis] as number);
      index[axis] = 0;
    }
  }
  return result;
}

/** A tensor with its axes in another order. @param order as for reordered */
export function permuted(
  { shape, values }: Omit<Tensor, 'name'>,
  order: readonly number[],
): { shape: number[]; values: Float32Array } {
  return { shape: order.map((axis) => shape[axis] as number), values: reordered(values, shape, order) };
}
