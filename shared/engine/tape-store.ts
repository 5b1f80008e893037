import { Tape } from '../kernels/tape.js';
import type { ComputeMemory } from './memory.js';
import type { TapeRef } from './team.js';

/** Bytes of each of an owner's two regions: a large model's step is some ten thousand words. */
const REGION_BYTES = 1 << 20;
/** Bytes of both. */
export const TAPE_BYTES = 2 * REGION_BYTES;

/**
 * Tapes in shared memory, made once and found again by key. When a region is full all are forgotten, and made anew in
 * the other one as they are asked for, so it is bounded however many ranges a run hands out.
 *
 * A tape handed out stays as it is until a whole region of others has been written after it: an owner asks for the
 * tapes of one step at a time, and the first of them must outlive the making of the last.
 */
export class TapeStore {
  private readonly regions: readonly [number, number];
  /** The region that is being filled. Tapes in the other one are unknown, but still there for who was given them. */
  private current: 0 | 1 = 0;
  private readonly known = new Map<string, TapeRef>();
  private used = 0;

  constructor(private readonly memory: ComputeMemory) {
    this.regions = [memory.allocate(REGION_BYTES, 'tapes'), memory.allocate(REGION_BYTES, 'tapes')];
  }

  /** The tape of this key; `emit` writes it when it is not there. Throws when one tape alone exceeds the region. */
  get(key: string, emit: (tape: Tape) => void): TapeRef {
    const found = this.known.get(key);
    if (found !== undefined) return found;
    const tape = new Tape();
    emit(tape);
    const words = tape.words();
    if (words.byteLength > REGION_BYTES) {
      throw new Error(`a tape of ${words.byteLength} bytes exceeds the ${REGION_BYTES} bytes kept for tapes`);
    }
    if (this.used + words.byteLength > REGION_BYTES) this.forget();
    const offset = this.regions[this.current] + this.used;
    this.memory.i32(offset, words.length).set(words);
    this.used += (words.byteLength + 63) & ~63;
    const made = { offset, words: words.length };
    this.known.set(key, made);
    return made;
  }

  /** Forgets all tapes, as when the memory that they name has moved. */
  forget(): void {
    this.known.clear();
    this.used = 0;
    this.current = this.current === 0 ? 1 : 0;
  }
}
