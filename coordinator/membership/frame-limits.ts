import type { FrameBounds } from '../../shared/link/link.js';
import { travelWhole, type VectorCut } from '../../shared/reduction/segments.js';
import { leafCount, rootLevel } from '../../shared/reduction/tree.js';
import type { RunSettings } from '../state/run-settings.js';

/** Longest header of a member's message; the longest is a hello. */
const MEMBER_HEADER_BYTES_MAX = 64 * 2 ** 10;

/**
 * What a member may send: partial sums as long as the run's, as many as a share can have, whole or in segments, and nothing
 * with any other message.
 * @param cut how a partial sum travels
 */
export function memberBounds(cut: VectorCut, cuts: LeafCuts): FrameBounds {
  const most = sumsMax(cuts);
  const segmentBytes = Math.max(...cut.segments.map(({ bytes }) => bytes));
  return {
    headerBytesMax: MEMBER_HEADER_BYTES_MAX,
    payloadBytesMax: (message) => {
      const { kind, nodes } = message as { kind?: unknown; nodes?: unknown };
      if (kind === 'segment') return segmentBytes;
      if (kind !== 'partial-sums' || !Array.isArray(nodes)) return 0;
      const vectors = Math.min(nodes.length, most);
      return travelWhole(cut, vectors) ? vectors * cut.bytes : 0;
    },
  };
}

/** Most segments of one answer of a member. */
export function answerSegmentsMax({ segments }: VectorCut, cuts: LeafCuts): number {
  return sumsMax(cuts) * segments.length;
}

/** What decides how many leaves there are. */
interface LeafCuts extends Pick<RunSettings, 'batch' | 'leafSize'> {
  readonly local?: object | undefined;
}

/**
 * Most partial sums of one share: 2 (log2(leaves) - 1), see maximalSubtrees; with a codec at least the two halves of the batch.
 * Replicas are dispatched one by one.
 */
function sumsMax({ batch, leafSize, local }: LeafCuts): number {
  if (local !== undefined) return 1;
  return Math.max(2, 2 * (rootLevel(leafCount(batch, leafSize)) - 1));
}
