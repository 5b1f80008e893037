import { assert } from '../errors.js';
import { type Box, intersectionOverUnion } from './boxes.js';
import type { Detection } from './non-maximum-suppression.js';

/** An object that is there. */
export interface TrueBox extends Box {
  readonly kind: number;
}

/** One image: what is there, and what was found. */
export interface Sighting {
  readonly truth: readonly TrueBox[];
  readonly found: readonly Detection[];
}

/**
 * Mean average precision as PASCAL VOC has measured it since 2010 (Everingham et al.): for each class the area under
 * precision over recall, detections taken from the surest on, precision made to fall only; the mean over the classes
 * that are there. A detection is right when the object of its class that it overlaps most is overlapped by at least
 * `least` and was not found before.
 * @returns 0 to 1
 * @throws AssertionError when no image holds an object
 */
export function meanAveragePrecision(sightings: readonly Sighting[], least = 0.5): number {
  const kinds = new Set(sightings.flatMap(({ truth }) => truth.map(({ kind }) => kind)));
  assert(kinds.size > 0, 'average precision needs objects that are there');
  let sum = 0;
  for (const kind of [...kinds].sort((a, b) => a - b)) sum += averagePrecision(sightings, kind, least);
  return sum / kinds.size;
}

function averagePrecision(sightings: readonly Sighting[], kind: number, least: number): number {
  const truths = sightings.map(({ truth }) => truth.filter((object) => object.kind === kind));
  const objects = truths.reduce((count, { length }) => count + length, 0);
  const found = sightings
    .flatMap((sighting, image) => sighting.found.map((detection) => ({ detection, image })))
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
  // Each detection that is right adds one object's recall, at the best precision that is reached from there on.
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
