import { FRAME_BYTES_MAX, type FrameBounds } from '../shared/link/link.js';
import { leafCount, rootLevel } from '../shared/sum/leaves.js';

/** Of a frame, what is left to its head. */
const HEAD_BYTES = 64 * 2 ** 10;
const MEGABYTE = 2 ** 20;
/** Of what a member says, without its payload: the longest is a hello. */
const MEMBER_HEADER_BYTES_MAX = 64 * 2 ** 10;

/**
 * Why a run's weights and sums cannot go over links; undefined when they can. A share of the work is at most
 * 2 (log2(leaves) - 1) partial sums (see maximalSubtrees), and all of them go in one frame.
 *
 * @param vectorBytes bytes of one partial sum, which are no fewer than those of the weights
 */
export function frameMisfit(vectorBytes: number, batch: number, leafSize: number): string | undefined {
  const sums = sumsMax(batch, leafSize);
  const bytes = sums * vectorBytes + HEAD_BYTES;
  if (bytes <= FRAME_BYTES_MAX) return undefined;
  const [taken, most] = [Math.ceil(bytes / MEGABYTE), FRAME_BYTES_MAX / MEGABYTE];
  const mend = sums > 1 ? 'take larger leaves (--leaf), a smaller model,' : 'take a smaller model,';
  return `a share of the work can come to ${taken} MiB, and ${most} MiB go over a link at once: ${mend} or local workers only`;
}

/**
 * What a member may send: partial sums as long as the run's, as many as a share can have, and nothing with any other
 * message.
 * @param vectorBytes bytes of one partial sum
 */
export function memberBounds(vectorBytes: number, batch: number, leafSize: number): FrameBounds {
  const most = sumsMax(batch, leafSize);
  return {
    headerBytesMax: MEMBER_HEADER_BYTES_MAX,
    payloadBytesMax: (message) => {
      const { kind, nodes } = message as { kind?: unknown; nodes?: unknown };
      return kind === 'partials' && Array.isArray(nodes) ? Math.min(nodes.length, most) * vectorBytes : 0;
    },
  };
}

/** Most partial sums of one share. */
function sumsMax(batch: number, leafSize: number): number {
  return Math.max(1, 2 * (rootLevel(leafCount(batch, leafSize)) - 1));
}
