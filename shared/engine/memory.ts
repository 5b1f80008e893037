import { assert, UserError } from '../errors.js';
import { STATIC_BYTES } from '../kernels/memory-map.js';

const PAGE_BYTES = 65536;
/** 4 GiB: as far as 32-bit offsets reach. */
const PAGES_MAX = 65536;
/** Enough for a small run, so that it never grows. Pages that nobody writes to cost nothing. */
const PAGES_INITIAL = 256;
/** Every region begins at a multiple of this: the widest vector, and a cache line of its own. */
const ALIGNMENT = 64;

/** A point to which memory can be rewound. */
export interface MemoryMark {
  readonly end: number;
  readonly bytesByPurpose: ReadonlyMap<string, number>;
}

/**
 * The one memory that all compute threads of a process share, handed out in regions that are given back only all
 * together, with the run that they are of: a plan lays everything out ahead, so that a step allocates nothing.
 *
 * Shared memory grows in place. Offsets and views stay valid for good, but a view made before the growth does not reach
 * what was added: make views when they are needed.
 */
export class ComputeMemory {
  readonly memory = new WebAssembly.Memory({ initial: PAGES_INITIAL, maximum: PAGES_MAX, shared: true });
  /** Byte offset of the first byte that belongs to nobody. */
  private end = STATIC_BYTES;
  /** How far regions have ever reached: behind it all is zeros. */
  private highest = STATIC_BYTES;
  private bytesMax = Number.POSITIVE_INFINITY;
  private bytesByPurpose: ReadonlyMap<string, number> = new Map();

  /** Pages of 64 KiB that there are now. */
  get pages(): number {
    return this.memory.buffer.byteLength / PAGE_BYTES;
  }

  /**
   * A new region of zeros.
   *
   * @param purpose what it is for, in the plural; for the message when memory runs out
   * @returns its byte offset, a multiple of 64
   * @throws UserError when the 4 GiB that kernels can address or the bytes of `limit` are used up, or the system gives
   * no more
   */
  allocate(bytes: number, purpose = 'other regions'): number {
    assert(Number.isSafeInteger(bytes) && bytes >= 0, `cannot allocate ${bytes} bytes`);
    const offset = Math.ceil(this.end / ALIGNMENT) * ALIGNMENT;
    if (offset + bytes > this.bytesMax)
      throw this.outOfMemory(`the ${mebibytes(this.bytesMax)} of --memory are used up`, bytes, purpose);
    // An empty region, too, must begin inside the memory.
    this.grow(Math.ceil((offset + Math.max(bytes, ALIGNMENT)) / PAGE_BYTES), bytes, purpose);
    // What was there before the latest rewind.
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

  /** From now on regions end before so many bytes. */
  limit(bytesMax: number): void {
    this.bytesMax = bytesMax;
  }

  /** Where regions end now. */
  mark(): MemoryMark {
    return { end: this.end, bytesByPurpose: this.bytesByPurpose };
  }

  /** Takes back all regions that were handed out since; nobody may look at them any more. */
  rewind({ end, bytesByPurpose }: MemoryMark): void {
    this.end = end;
    this.bytesByPurpose = bytesByPurpose;
  }

  /** `length` float32 from the byte `offset` on; a view, not a copy, like those below. */
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
    // Doubling keeps growths rare: each of them interrupts every thread.
    const pages = Math.min(Math.max(pagesNeeded, this.pages * 2), PAGES_MAX);
    try {
      this.memory.grow(pages - this.pages);
    } catch {
      throw this.outOfMemory(`the system gives no more than ${mebibytes(this.end)}`, bytes, purpose);
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
