import { type Box, intersectionOverUnion } from './boxes.js';

/** A detected object of an image. */
export interface Detection extends Box {
  readonly kind: number;
  /** Confidence, in any unit: larger is more confident. */
  readonly score: number;
}

/**
 * Greedy non-maximum suppression: keeps the detection with the highest score, drops those of its class that overlap it by more
 * than `limit`, and continues with the rest.
 * @returns the kept detections by decreasing score; equal scores in the order of `detections`
 */
export function suppressNonMaxima(detections: readonly Detection[], limit: number): Detection[] {
  const kept: Detection[] = [];
  for (const detection of [...detections].sort((a, b) => b.score - a.score)) {
    const isSuppressed = kept.some(
      (other) => other.kind === detection.kind && intersectionOverUnion(other, detection) > limit,
    );
    if (!isSuppressed) kept.push(detection);
  }
  return kept;
}
