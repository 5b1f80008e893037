/*
 * How a vector travels: in segments of bounded size, so that a vector of any length fits a link, and what is complete can
 * leave before the rest is computed. A vector is cut where its tensors begin, as far as that makes segments of a sensible
 * size; both ends cut it alike.
 */

/** Most bytes of a segment. */
export const SEGMENT_BYTES = 256 * 2 ** 10;

/** A part of a vector, in bytes. */
export interface Segment {
  readonly at: number;
  readonly bytes: number;
}

/** How vectors of one length are cut. */
export interface VectorCut {
  /** Of one vector. */
  readonly bytes: number;
  /** Of one vector, in order. Together they are the vector. */
  readonly segments: readonly Segment[];
  /** Most bytes of a message: vectors that have no more together travel with the message that announces them. */
  readonly most: number;
}

/** Which segment of which of several vectors. */
export interface SegmentPlace {
  /** Position of the vector among those that travel together. */
  readonly vector: number;
  /** Position of the segment in its vector. */
  readonly index: number;
}

/**
 * Cuts a vector. Consecutive tensors share a segment as long as they fit; a tensor that is larger has segments of its own.
 * @param bytes of the vector
 * @param borders byte offsets at which tensors begin, ascending
 * @param most bytes of a segment
 */
export function cutVector(bytes: number, borders: readonly number[] = [], most = SEGMENT_BYTES): VectorCut {
  const ends = [...borders.filter((at) => at > 0 && at < bytes), bytes];
  const segments: Segment[] = [];
  let mayGrow = false;
  for (const [i, to] of ends.entries()) {
    const from = ends[i - 1] ?? 0;
    const last = segments.at(-1);
    if (mayGrow && last !== undefined && to - last.at <= most) {
      segments[segments.length - 1] = { at: last.at, bytes: to - last.at };
      continue;
    }
    for (let at = from; at < to; at += most) segments.push({ at, bytes: Math.min(most, to - at) });
    mayGrow = to - from <= most;
  }
  return { bytes, segments, most };
}

/** Whether so many vectors travel with the message that announces them, without segments. */
export function travelWhole({ bytes, most }: VectorCut, vectors: number): boolean {
  return vectors * bytes <= most;
}

/** Vectors one after the other, to travel whole. One vector is not copied. */
export function joinVectors(vectors: readonly Uint8Array[]): Uint8Array {
  const [only] = vectors;
  if (only !== undefined && vectors.length === 1) return only;
  const joined = new Uint8Array(vectors.reduce((sum, { byteLength }) => sum + byteLength, 0));
  let at = 0;
  for (const vector of vectors) {
    joined.set(vector, at);
    at += vector.byteLength;
  }
  return joined;
}

/** What has arrived of vectors that travel in segments. */
export class SegmentArrival {
  private readonly arrived: Uint8Array;
  private left: number;

  constructor(
    readonly cut: VectorCut,
    readonly vectors: number,
  ) {
    this.left = vectors * cut.segments.length;
    this.arrived = new Uint8Array(this.left);
  }

  /** Every segment has arrived. */
  get isComplete(): boolean {
    return this.left === 0;
  }

  /** Whether a segment has arrived of every vector. */
  has(index: number): boolean {
    const { segments } = this.cut;
    for (let vector = 0; vector < this.vectors; vector++)
      if (this.arrived[vector * segments.length + index] !== 1) return false;
    return true;
  }

  /**
   * Takes note of a segment.
   * @param bytes that came
   * @returns why it is not one of those that are missing; undefined when it is
   */
  take({ vector, index }: SegmentPlace, bytes: number): string | undefined {
    const { segments } = this.cut;
    const segment = segments[index];
    if (vector >= this.vectors || segment === undefined)
      return `segment ${index} of vector ${vector} is none of ${this.vectors} vectors of ${segments.length} segments`;
    if (bytes !== segment.bytes)
      return `segment ${index} of vector ${vector} has ${bytes} bytes instead of ${segment.bytes}`;
    const place = vector * segments.length + index;
    if (this.arrived[place] !== 0) return `segment ${index} of vector ${vector} came twice`;
    this.arrived[place] = 1;
    this.left -= 1;
    return undefined;
  }
}
