import { assert, UserError } from '../errors.js';
import { STATIC_BYTES } from '../kernels/memory-map.js';

const PAGE_BYTES = 65536;
/** 4 GiB, the reach of 32-bit offsets. */
const PAGES_MAX = 65536;
/** Enough for a small run, whose memory then never grows. A page costs nothing until it is written to. */
const PAGES_INITIAL = 256;
/** Every region begins at a multiple of this: the width of the widest vector, and of a cache line. */
const ALIGNMENT = 64;

/** A point to which memory can be rewound. */
export interface MemoryMark {
  readonly end: number;
  readonly bytesByPurpose: ReadonlyMap<string, number>;
}

/**
 * The one memory that all compute threads of a process share. It allocates regions, which are freed only all at once, with
 * the run that they belong to: everything that a step needs is allocated before it, so that a step allocates nothing.
 *
 * Shared memory grows in place. Offsets and views stay valid, but a view that was made before a growth does not reach
 * what was added: make views when they are needed.
 */
export class ComputeMemory {
  readonly memory = new WebAssembly.Memory({ initial: PAGES_INITIAL, maximum: PAGES_MAX, shared: true });
  /** Byte offset of the first free byte. */
  private end = STATIC_BYTES;
  /** Byte offset of the first byte that has never been allocated. It and all that follow are 0. */
  private highest = STATIC_BYTES;
  private bytesMax = Number.POSITIVE_INFINITY;
  private bytesByPurpose: ReadonlyMap<string, number> = new Map();

  /** Pages of 64 KiB that the memory has now. */
  get pages(): number {
    return this.memory.buffer.byteLength / PAGE_BYTES;
  }

  /**
   * Allocates a region of zeros.
   *
   * @param purpose what it is for, in the plural; named in the message when memory runs out
   * @returns its byte offset, a multiple of 64
   * @throws UserError when the 4 GiB that kernels can address or the bytes of `limit` are used up, or the system has no
   *   more
   */
  allocate(bytes: number, purpose = 'other regions'): number {
    assert(Number.isSafeInteger(bytes) && bytes >= 0, `cannot allocate ${bytes} bytes`);
    const offset = Math.ceil(this.end / ALIGNMENT) * ALIGNMENT;
    if (offset + bytes > this.bytesMax)
      throw this.outOfMemory(`the ${mebibytes(this.bytesMax)} of --memory are used up`, bytes, purpose);
    // An empty region must begin inside the memory too.
    this.grow(Math.ceil((offset + Math.max(bytes, ALIGNMENT)) / PAGE_BYTES), bytes, purpose);
    // Bytes that were in use before the latest rewind are not 0.
    const used = Math.min(this.highest, offset + bytes) - offset;
    if (used > 0) this.u8(offset, used).fill(0);
    this.end = offset + bytes;
    this.highest = Math.max(this.highest, this.end);
    this.bytesByPurpose = new Map(this.bytesByPurpose).set(
      purpose,
      (this.bytesByPurpose.get(purpose) ?? 0) + bytes,
    );
    return offset;
  }

  /** Limits all regions together to so many bytes from now on. */
  limit(bytesMax: number): void {
    this.bytesMax = bytesMax;
  }

  /** The end of the regions now. */
  mark(): MemoryMark {
    return { end: this.end, bytesByPurpose: this.bytesByPurpose };
  }

  /** Frees all regions that were allocated since the mark. They must not be used any more. */
  rewind({ end, bytesByPurpose }: MemoryMark): void {
    this.end = end;
    this.bytesByPurpose = bytesByPurpose;
  }

  /** A view of `length` float32 from the byte `offset` on. The methods below are alike for other types. */
  f32(offset: number, length: number): Float32Array {
    return new Float32Array(this.memory.buffer, offset, length);
  }

  i32(offset: number, length: number): Int32Array {
    return new Int32Array(this.memory.buffer, offset, length);
  }

  u32(offset: number, length: number): Uint32Array {
    return new Uint32Array(this.memory.buffer, offset, length);
  }

  u8(offset: number, length: number): Uint8Array {
    return new Uint8Array(this.memory.buffer, offset, length);
  }

  private grow(pagesNeeded: number, bytes: number, purpose: string): void {
    if (pagesNeeded <= this.pages) return;
    if (pagesNeeded > PAGES_MAX) throw this.outOfMemory('the 4 GiB of a process are used up', bytes, purpose);
    // Doubling keeps growths rare: each one interrupts every thread.
    const pages = Math.min(Math.max(pagesNeeded, this.pages * 2), PAGES_MAX);
    try {
      this.memory.grow(pages - this.pages);
    } catch {
      throw this.outOfMemory(`the system has no more than ${mebibytes(this.end)}`, bytes, purpose);
    }
  }

  private outOfMemory(why: string, bytes: number, purpose: string): UserError {
    const largest = [...this.bytesByPurpose].sort(([, a], [, b]) => b - a).slice(0, 3);
    const uses = largest.map(([name, size]) => `${name} ${mebibytes(size)}`).join(', ');
    return new UserError(
      `out of memory: ${why} and ${purpose} need ${mebibytes(bytes)} more (largest so far: ${uses || 'none'}); ` +
        'use a smaller model, batch or data set, or more machines',
    );
  }
}

function mebibytes(bytes: number): string {
  return `${(bytes / 2 ** 20).toFixed(1)} MiB`;
}
