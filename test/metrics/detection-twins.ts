/*
 * Twins of the metrics of detection, after their definitions and as dumb as can be: quadratic and worse, no sorting, nothing
 * remembered.
 */
import type { Box } from '../../shared/metrics/boxes.js';
import type { Sighting } from '../../shared/metrics/mean-average-precision.js';
import type { Detection } from '../../shared/metrics/non-maximum-suppression.js';

/** Intersection over union by the corners. */
function overlapOf(a: Box, b: Box): number {
  const side = (aMiddle: number, aSize: number, bMiddle: number, bSize: number): number => {
    const from = Math.max(aMiddle - aSize / 2, bMiddle - bSize / 2);
    const to = Math.min(aMiddle + aSize / 2, bMiddle + bSize / 2);
    return to > from ? to - from : 0;
  };
  const both = side(a.x, a.width, b.x, b.width) * side(a.y, a.height, b.y, b.height);
  return both / (a.width * a.height + b.width * b.height - both);
}

/** A detection stays unless a surer one of its class that stays overlaps it by more than `limit`. */
export function stays(all: readonly Detection[], i: number, limit: number): boolean {
  const mine = all[i]!;
  return !all.some(
    (other, j) =>
      other.kind === mine.kind &&
      (other.score > mine.score || (other.score === mine.score && j < i)) &&
      overlapOf(other, mine) > limit &&
      stays(all, j, limit),
  );
}

/**
 * Mean average precision after its definition: for each object that can be found, the best precision with which at least so
 * many objects are found, over all numbers of detections that are taken; the mean over objects, and over classes.
 */
export function meanAveragePrecisionTwin(sightings: readonly Sighting[], least: number): number {
  const kinds = [...new Set(sightings.flatMap(({ truth }) => truth.map(({ kind }) => kind)))];
  const averages = kinds.map((kind) => {
    const objects = sightings.flatMap(({ truth }) => truth.filter((object) => object.kind === kind)).length;
    const ranked = rankedDetections(sightings, kind);
    let sum = 0;
    for (let wanted = 1; wanted <= objects; wanted++) {
      let best = 0;
      for (let taken = 1; taken <= ranked.length; taken++) {
        const found = foundBy(sightings, ranked.slice(0, taken), kind, least);
        if (found >= wanted) best = Math.max(best, found / taken);
      }
      sum += best;
    }
    return sum / objects;
  });
  return averages.reduce((sum, average) => sum + average, 0) / averages.length;
}

interface Ranked {
  readonly image: number;
  readonly detection: Detection;
}

/** Of one class in all images, the surest first; of equally sure ones the first. */
function rankedDetections(sightings: readonly Sighting[], kind: number): Ranked[] {
  const left = sightings.flatMap(({ found }, image) =>
    found.filter((detection) => detection.kind === kind).map((detection) => ({ image, detection })),
  );
  const ranked: Ranked[] = [];
  while (left.length > 0) {
    const surest = left.findIndex(({ detection }) =>
      left.every((other) => other.detection.score <= detection.score),
    );
    ranked.push(...left.splice(surest, 1));
  }
  return ranked;
}

/** Objects that are found by some of these detections: each finds the one that it overlaps most, if by enough. */
function foundBy(
  sightings: readonly Sighting[],
  taken: readonly Ranked[],
  kind: number,
  least: number,
): number {
  const found = new Set<object>();
  for (const { image, detection } of taken) {
    const objects = sightings[image]!.truth.filter((object) => object.kind === kind);
    const most = Math.max(...objects.map((object) => overlapOf(detection, object)));
    const object = objects.find((candidate) => overlapOf(detection, candidate) === most);
    if (object !== undefined && most >= least) found.add(object);
  }
  return found.size;
}
