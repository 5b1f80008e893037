/** Common parts of pooling ops: attributes, shape rule, and the arguments of the kernels. */
import * as v from 'valibot';
import { imageOf, Padding, Pair, placeWindow } from './image.js';
import { type OpUse, WITHOUT_PARAMETERS } from './op.js';

const PoolAttributes = v.strictObject({ poolSize: Pair, strides: Pair, padding: Padding });
export type PoolAttributes = v.InferOutput<typeof PoolAttributes>;

export const POOL = {
  ...WITHOUT_PARAMETERS,
  attributes: PoolAttributes,
  arity: { min: 1, max: 1 },
  shape(use: OpUse<PoolAttributes>) {
    const { outHeight, outWidth, channels } = poolGeometry(use);
    return [outHeight, outWidth, channels];
  },
  errorTerm: 'emitted',
} as const;

/** The arguments of the kernels except the tensors and their rows. */
export function poolGeometry({ name, inputs: [input], attributes }: OpUse<PoolAttributes>) {
  const { poolSize, strides, padding } = attributes;
  const { size, channels } = imageOf(name, input);
  const settings = { window: poolSize, strides, padding, dilation: [1, 1] } as const;
  const { results, pad } = placeWindow(name, size, settings);
  return {
    height: size[0],
    width: size[1],
    channels,
    outHeight: results[0],
    outWidth: results[1],
    poolHeight: poolSize[0],
    poolWidth: poolSize[1],
    strideY: strides[0],
    strideX: strides[1],
    padTop: pad[0],
    padLeft: pad[1],
  };
}
