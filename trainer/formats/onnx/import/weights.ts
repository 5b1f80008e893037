import { reordered } from '../../reordered.js';
import type { Constant } from './operands.js';

const floats = ({ values }: Constant): Float32Array => Float32Array.from(values);
/** A constant as a parameter of one axis. */
export const vector = (constant: Constant) => ({ shape: [constant.values.length], values: floats(constant) });

/** A constant as a parameter, with its axes in another order. */
export function rearranged(constant: Constant, order: readonly number[], shape: readonly number[]) {
  return { shape: [...shape], values: reordered(floats(constant), constant.shape, order) };
}
