import { FRAME_BYTES_MAX } from '../shared/link/link.js';
import { leafCount, rootLevel } from '../shared/sum/leaves.js';

/** Of a frame, what is left to its head. */
const HEAD_BYTES = 64 * 2 ** 10;
const MEGABYTE = 2 ** 20;

/**
 * Why a run's weights and sums cannot go over links; undefined when they can. A share of the work is at most
 * 2 (log2(leaves) - 1) partial sums (see maximalSubtrees), and all of them go in one frame.
 *
 * @param vectorBytes bytes of one partial sum, which are no fewer than those of the weights
 */
export function frameMisfit(vectorBytes: number, batch: number, leafSize: number): string | undefined {
  const sums = Math.max(1, 2 * (rootLevel(leafCount(batch, leafSize)) - 1));
  const bytes = sums * vectorBytes + HEAD_BYTES;
  if (bytes <= FRAME_BYTES_MAX) return undefined;
  const [taken, most] = [Math.ceil(bytes / MEGABYTE), FRAME_BYTES_MAX / MEGABYTE];
  const mend = sums > 1 ? 'take larger leaves (--leaf), a smaller model,' : 'take a smaller model,';
  return `a share of the work can come to ${taken} MiB, and ${most} MiB go over a link at once: ${mend} or local workers only`;
}
