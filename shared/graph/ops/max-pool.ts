/*
 * maxPool:  y = the largest x of a window; pixels outside of the image are skipped
 *
 *     dx = the sum of dy over the windows in which x is the first that equals y
 */
import type { KernelOp } from './op.js';
import { POOL, type PoolAttributes, poolGeometry } from './pool.js';

const NO_ACTIVATION = 0;

export const maxPoolOp: KernelOp<PoolAttributes> = {
  ...POOL,
  backwardReads: { inputs: true, output: true },
  forward(to, { rows, inputs, attributes, x, y }) {
    to.emit('maxPoolForward', { x: x[0], y, rows, ...poolGeometry({ name: '', inputs, attributes }) });
  },
  backward(to, { rows, inputs, attributes, x, y, dy, dx }) {
    const geometry = poolGeometry({ name: '', inputs, attributes });
    to.emit('maxPoolBackward', { x: x[0], y, dy, dx: dx[0], rows, ...geometry, activation: NO_ACTIVATION });
  },
};
