/** Most bytes that are kept for later: a payload of the largest frame. */
const SPARE_BYTES_MAX = 256 * 2 ** 20;
/** Most buffers that are kept. */
const SPARES_MAX = 64;

/**
 * Memory for payloads, used again and again. The payloads of a run have few sizes, and fresh memory for each has a
 * price far above that of copying them: the system hands out every page anew, and the garbage collector, which counts
 * the bytes, runs every few steps on the cores that compute.
 */
export class SpareBuffers {
  /** Longest unused first. */
  readonly #spares: Uint8Array[] = [];
  #bytes = 0;

  /** So many bytes that are nobody else's, of any content, at a multiple of 8. */
  take(bytes: number): Uint8Array {
    const index = this.#spares.findLastIndex((spare) => spare.length === bytes);
    if (index < 0) return new Uint8Array(bytes);
    this.#bytes -= bytes;
    return this.#spares.splice(index, 1)[0] as Uint8Array;
  }

  /** Takes back a buffer that nobody uses any more. Whatever is not a whole buffer is left to the garbage collector. */
  give(buffer: Uint8Array): void {
    if (buffer.length === 0 || buffer.length !== buffer.buffer.byteLength) return;
    this.#spares.push(buffer);
    this.#bytes += buffer.length;
    // What has not been wanted for longest goes: the sizes change with the ranges that are handed out.
    while (this.#spares.length > SPARES_MAX || this.#bytes > SPARE_BYTES_MAX)
      this.#bytes -= (this.#spares.shift() as Uint8Array).length;
  }
}
