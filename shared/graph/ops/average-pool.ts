/*
 * averagePool:  y = the mean of x over a window; pixels outside of the image are skipped and do not count
 *
 *     dx = the sum over the windows of dy / their number of pixels
 */
import type { KernelOp } from './op.js';
import { POOL, type PoolAttributes, poolGeometry } from './pool.js';

export const averagePoolOp: KernelOp<PoolAttributes> = {
  ...POOL,
  backwardReads: { inputs: false, output: false },
  forward(to, { rows, inputs, attributes, x, y }) {
    to.emit('averagePoolForward', { x: x[0], y, rows, ...poolGeometry({ name: '', inputs, attributes }) });
  },
  backward(to, { rows, inputs, attributes, dy, dx }) {
    const geometry = poolGeometry({ name: '', inputs, attributes });
    to.emit('averagePoolBackward', { dy, dx: dx[0], rows, ...geometry });
  },
};
