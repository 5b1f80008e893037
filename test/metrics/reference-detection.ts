/*
 * Reference implementations of the metrics of detection, directly from their definitions: quadratic and slower, without sorting
 * and without state.
 */
import type { Box } from '../../shared/metrics/boxes.js';
import type { ImageDetections } from '../../shared/metrics/mean-average-precision.js';
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

/** A detection is kept unless a kept one of its class with a higher score overlaps it by more than `limit`. */
export function isKept(all: readonly Detection[], i: number, limit: number): boolean {
  const detection = all[i]!;
  return !all.some(
    (other, j) =>
      other.kind === detection.kind &&
      (other.score > detection.score || (other.score === detection.score && j < i)) &&
      overlapOf(other, detection) > limit &&
      isKept(all, j, limit),
  );
}

/**
 * Mean average precision by its definition: for each number of objects, the best precision at which at least that many objects
 * are found, over all numbers of detections; the mean over objects, and over classes.
 */
export function referenceMeanAveragePrecision(images: readonly ImageDetections[], least: number): number {
  const kinds = [...new Set(images.flatMap(({ truth }) => truth.map(({ kind }) => kind)))];
  const averages = kinds.map((kind) => {
    const objects = images.flatMap(({ truth }) => truth.filter((object) => object.kind === kind)).length;
    const ranked = rankedDetections(images, kind);
    let sum = 0;
    for (let count = 1; count <= objects; count++) {
      let best = 0;
      for (let taken = 1; taken <= ranked.length; taken++) {
        const found = foundBy(images, ranked.slice(0, taken), kind, least);
        if (found >= count) best = Math.max(best, found / taken);
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

/** The detections of one class in all images by decreasing score; equal scores in their order. */
function rankedDetections(images: readonly ImageDetections[], kind: number): Ranked[] {
  const left = images.flatMap(({ found }, image) =>
    found.filter((detection) => detection.kind === kind).map((detection) => ({ image, detection })),
  );
  const ranked: Ranked[] = [];
  while (left.length > 0) {
    const best = left.findIndex(({ detection }) =>
      left.every((other) => other.detection.score <= detection.score),
    );
    ranked.push(...left.splice(best, 1));
  }
  return ranked;
}

/** Number of objects that these detections find: each finds the one that it overlaps most, if by at least `least`. */
function foundBy(
  images: readonly ImageDetections[],
  taken: readonly Ranked[],
  kind: number,
  least: number,
): number {
  const found = new Set<object>();
  for (const { image, detection } of taken) {
    const objects = images[image]!.truth.filter((object) => object.kind === kind);
    const most = Math.max(...objects.map((object) => overlapOf(detection, object)));
    const object = objects.find((candidate) => overlapOf(detection, candidate) === most);
    if (object !== undefined && most >= least) found.add(object);
  }
  return found.size;
}
