import { UserError } from '../errors.js';
import { type Box, intersectionOverUnion } from './boxes.js';
import type { Detection } from './non-maximum-suppression.js';

/** A true object of an image. */
export interface TrueBox extends Box {
  readonly kind: number;
}

/** The true objects and the detections of one image. */
export interface ImageDetections {
  readonly truth: readonly TrueBox[];
  readonly found: readonly Detection[];
}

/**
 * Mean average precision as in PASCAL VOC since 2010 (Everingham et al.): for each class the area under the precision-recall
 * curve, with detections in order of decreasing score and precision made monotonically decreasing; then the mean over the
 * classes of true objects. A detection is right if its overlap with the object of its class that it overlaps most is at least
 * `least`, and no detection before it has found this object.
 * @returns 0 to 1
 * @throws UserError when there is no true object in any image
 */
export function meanAveragePrecision(images: readonly ImageDetections[], least = 0.5): number {
  const kinds = new Set(images.flatMap(({ truth }) => truth.map(({ kind }) => kind)));
  if (kinds.size === 0)
    throw new UserError('average precision needs at least one true object; give samples with some');
  let sum = 0;
  for (const kind of [...kinds].sort((a, b) => a - b)) sum += averagePrecision(images, kind, least);
  return sum / kinds.size;
}

function averagePrecision(images: readonly ImageDetections[], kind: number, least: number): number {
  const truths = images.map(({ truth }) => truth.filter((object) => object.kind === kind));
  const objects = truths.reduce((count, { length }) => count + length, 0);
  const found = images
    .flatMap(({ found }, image) => found.map((detection) => ({ detection, image })))
    .filter(({ detection }) => detection.kind === kind)
    .sort((a, b) => b.detection.score - a.detection.score);
  const known = new Set<TrueBox>();
  let right = 0;
  const precisions: number[] = [];
  const isRight = found.map(({ detection, image }, i) => {
    const object = mostOverlapped(detection, truths[image] as readonly TrueBox[], least);
    const isNew = object !== undefined && !known.has(object);
    if (isNew) known.add(object);
    right += isNew ? 1 : 0;
    precisions.push(right / (i + 1));
    return isNew;
  });
  // Each right detection adds the recall of one object, at the best precision from there on.
  let area = 0;
  let best = 0;
  for (let i = found.length - 1; i >= 0; i--) {
    best = Math.max(best, precisions[i] as number);
    if (isRight[i]) area += best / objects;
  }
  return area;
}

function mostOverlapped(box: Box, truths: readonly TrueBox[], least: number): TrueBox | undefined {
  let most = least;
  let object: TrueBox | undefined;
  for (const truth of truths) {
    const share = intersectionOverUnion(box, truth);
    if (share > most || (share === most && object === undefined)) {
      most = share;
      object = truth;
    }
  }
  return object;
}
