/*
 * A link carries messages between two ends, in order, each at most once, until one end closes it or it breaks.
 *
 * Payloads: what lies in shared memory is copied by `send`, because its owner goes on computing in it. Any other
 * payload is given away: it must never be changed afterwards, and may be sent on several links. One that arrives must
 * not be changed either (within a process it may be the very bytes that were sent) and lies at a multiple of 8 bytes,
 * so that float views of it are free.
 */

/** What arrives: a message of unknown shape, and the bytes that came with it (empty when there were none). */
export interface Envelope {
  readonly message: unknown;
  readonly payload: Uint8Array;
}

/** Told by a link, never from within a call of the link's own methods. */
export interface LinkEvents {
  message(envelope: Envelope): void;
  /**
   * The end, exactly once, also after an own `close`: nothing arrives any more and nothing that was sent is still
   * under way. `reason` is for people: that of whichever end closed, or what broke. `isFault`: the peer broke the rules.
   */
  closed(reason: string, isFault?: boolean): void;
}

/** One end of a link. */
export interface Link {
  /** Who is at the other end, for people: an address, "local". */
  readonly peer: string;
  /** Bytes of payload and header that were sent and have not left yet. */
  readonly bufferedBytes: number;
  /** Starts the delivery; what arrived before waits for it. To be called once. */
  open(events: LinkEvents): void;
  /**
   * Sends plain data, as JSON knows it, and bytes. Ignored when the link is closed. A peer that lets more than
   * BUFFERED_BYTES_MAX pile up is dropped.
   */
  send(message: object, payload?: Uint8Array): void;
  /**
   * Gives back a payload that arrived, when nobody looks at it any more: its memory may serve for one that is yet to
   * come. Whoever keeps it instead does no harm.
   */
  recycle(payload: Uint8Array): void;
  /** The peer has proven itself: what limits strangers no longer holds for it, but these bounds do. */
  admit(bounds?: FrameBounds): void;
  /** Closes after what was sent before. No message arrives after this call; `closed` still comes. */
  close(reason: string): void;
}

/** What a peer may send; whoever exceeds it is put out before the bytes are taken in. */
export interface FrameBounds {
  /** Most bytes of a message without its payload. */
  readonly headerBytesMax: number;
  /** Most bytes that may come with this message, whose shape nobody has looked at yet. */
  payloadBytesMax(message: object): number;
}

/** A payload of no bytes. */
export const NO_PAYLOAD: Uint8Array = new Uint8Array(0);

/** Most bytes of one frame, header and payload: what a peer can make us hold at once. */
export const FRAME_BYTES_MAX = 256 * 2 ** 20;

/** Most bytes that may wait for a peer to read them: one largest frame, and as much again. */
export const BUFFERED_BYTES_MAX = 2 * FRAME_BYTES_MAX;

/** Why a peer was dropped that does not read. */
export const NOT_READING = 'the peer does not read what it is sent';

/** The payload as a link may keep it: a copy of what lies in shared memory or crooked, anything else as it is. */
export function ownedPayload(payload: Uint8Array): Uint8Array {
  const keeps = payload.buffer instanceof ArrayBuffer && payload.byteOffset % 8 === 0;
  return keeps ? payload : new Uint8Array(payload);
}
