import { assert } from '../errors.js';

/** Bytes of each direction: enough for the vectors of a step that are on their way, few enough to stay in a core's cache. */
const LANE_BYTES = 4 * 2 ** 20;
/** Two counters, each in a cache line of its own, and the secret. */
const CONTROL_BYTES = 4096;
const ALIGNMENT = 64;
const SECRET_AT = 512;

/** Bytes of the memory behind the lanes of both directions. */
export const LANES_BYTES = CONTROL_BYTES + 2 * LANE_BYTES;

/** Writes what the other process needs to know that it has opened the right memory. */
export function writeSecret(memory: ArrayBuffer, secret: string): void {
  new Uint8Array(memory, SECRET_AT).set(new TextEncoder().encode(secret));
}

/** Whether the memory holds this secret. */
export function holdsSecret(memory: ArrayBuffer, secret: string): boolean {
  const bytes = new TextEncoder().encode(secret);
  const found = new Uint8Array(memory, SECRET_AT, bytes.length);
  return bytes.every((byte, i) => found[i] === byte);
}

/** One direction: its bytes, and how many of them the reader has done with, modulo 2^32. */
function direction(memory: ArrayBuffer, index: 0 | 1): { bytes: Uint8Array; done: Uint32Array } {
  return {
    bytes: new Uint8Array(memory, CONTROL_BYTES + index * LANE_BYTES, LANE_BYTES),
    done: new Uint32Array(memory, index * ALIGNMENT, 1),
  };
}

/** Where so many bytes lie: behind what was written before, or at the beginning where the rest of the lane is too short. */
function next(total: number, bytes: number): { readonly at: number; readonly total: number } {
  const at = total % LANE_BYTES;
  const skipped = at + bytes > LANE_BYTES ? LANE_BYTES - at : 0;
  const taken = Math.ceil(bytes / ALIGNMENT) * ALIGNMENT;
  return { at: skipped > 0 ? 0 : at, total: (total + skipped + taken) >>> 0 };
}

/** The end of a lane that writes. */
export class LaneWriter {
  readonly #bytes: Uint8Array;
  readonly #done: Uint32Array;
  #written = 0;

  constructor(memory: ArrayBuffer, index: 0 | 1) {
    ({ bytes: this.#bytes, done: this.#done } = direction(memory, index));
  }

  /** Copies bytes into the lane. @returns whether there was room; the reader may also have written nonsense */
  write(bytes: Uint8Array): boolean {
    if (bytes.length > LANE_BYTES) return false;
    const { at, total } = next(this.#written, bytes.length);
    const unread = (total - Atomics.load(this.#done, 0)) >>> 0;
    if (unread > LANE_BYTES) return false;
    this.#bytes.set(bytes, at);
    this.#written = total;
    return true;
  }
}

/** The end of a lane that reads. */
export class LaneReader {
  readonly #bytes: Uint8Array;
  readonly #done: Uint32Array;
  #read = 0;
  /** What was read and is not done with, the oldest first. */
  readonly #held: { readonly payload: Uint8Array; readonly total: number; isDone: boolean }[] = [];

  constructor(memory: ArrayBuffer, index: 0 | 1) {
    ({ bytes: this.#bytes, done: this.#done } = direction(memory, index));
  }

  /** The next bytes: a view, valid until `release`. @param bytes at most LANE_BYTES */
  read(bytes: number): Uint8Array {
    assert(bytes <= LANE_BYTES, 'a payload fits into its lane');
    const { at, total } = next(this.#read, bytes);
    const payload = this.#bytes.subarray(at, at + bytes);
    this.#read = total;
    this.#held.push({ payload, total, isDone: false });
    return payload;
  }

  /** A view is not used any more. @returns whether it was one of this lane */
  release(payload: Uint8Array): boolean {
    const held = this.#held.find((one) => one.payload === payload);
    if (held === undefined) return false;
    held.isDone = true;
    while (this.#held[0]?.isDone) Atomics.store(this.#done, 0, (this.#held.shift() as typeof held).total);
    return true;
  }
}

/** Most bytes of a payload that can take a lane. */
export const LANE_PAYLOAD_MAX = LANE_BYTES;
