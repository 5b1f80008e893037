/** A rectangle by its center and size, all in the same unit. */
export interface Box {
  readonly x: number;
  readonly y: number;
  readonly width: number;
  readonly height: number;
}

/** Intersection over union of two boxes, 0 to 1; 0 for boxes without an area. */
export function intersectionOverUnion(a: Box, b: Box): number {
  const shared = overlap(a.x, a.width, b.x, b.width) * overlap(a.y, a.height, b.y, b.height);
  const either = areaOf(a) + areaOf(b) - shared;
  return either > 0 ? shared / either : 0;
}

function areaOf({ width, height }: Box): number {
  return Math.max(0, width) * Math.max(0, height);
}

function overlap(a: number, aSize: number, b: number, bSize: number): number {
  const end = Math.min(a + aSize / 2, b + bSize / 2);
  return Math.max(0, end - Math.max(a - aSize / 2, b - bSize / 2));
}
