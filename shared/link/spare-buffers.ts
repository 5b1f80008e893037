import { FRAME_BYTES_MAX } from './link.js';

/** Most bytes that are kept: a payload of the largest frame. */
const SPARE_BYTES_MAX = FRAME_BYTES_MAX;
/** Most buffers that are kept. */
const SPARES_MAX = 64;

/**
 * Buffers for payloads that are reused. The payloads of a run have few sizes. New memory for each payload costs far more
 * than its copy: the system maps every page again, and the garbage collector, which counts the bytes, runs every few
 * steps on the cores that compute.
 */
export class SpareBuffers {
  /** The one that has been unused for the longest time comes first. */
  readonly #spares: Uint8Array[] = [];
  #bytes = 0;

  /** A buffer of so many bytes with any content, at a multiple of 8. */
  take(bytes: number): Uint8Array {
    const index = this.#spares.findLastIndex((spare) => spare.length === bytes);
    if (index < 0) return new Uint8Array(bytes);
    this.#bytes -= bytes;
    return this.#spares.splice(index, 1)[0] as Uint8Array;
  }

  /** Takes a buffer that is not used any more. A part of a buffer is left to the garbage collector. */
  give(buffer: Uint8Array): void {
    if (buffer.length === 0 || buffer.length !== buffer.buffer.byteLength) return;
    this.#spares.push(buffer);
    this.#bytes += buffer.length;
    // The sizes change with the ranges that are assigned, so the buffer that has been unused the longest goes.
    while (this.#spares.length > SPARES_MAX || this.#bytes > SPARE_BYTES_MAX)
      this.#bytes -= (this.#spares.shift() as Uint8Array).length;
  }
}
