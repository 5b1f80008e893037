import { type Box, intersectionOverUnion } from './boxes.js';

/** What a detector says about one image. */
export interface Detection extends Box {
  readonly kind: number;
  /** How sure it is: more is surer, whatever the unit. */
  readonly score: number;
}

/**
 * Greedy non-maximum suppression: the surest detection stays, and those of its class that overlap it by more than `limit`
 * are taken for the same object; then the surest of the rest, and so on.
 * @returns what stays, surest first; of equally sure ones, the first in `detections`
 */
export function suppressNonMaxima(detections: readonly Detection[], limit: number): Detection[] {
  const kept: Detection[] = [];
  for (const detection of [...detections].sort((a, b) => b.score - a.score)) {
    const known = kept.some(
      (other) => other.kind === detection.kind && intersectionOverUnion(other, detection) > limit,
    );
    if (!known) kept.push(detection);
  }
  return kept;
}
