/*
 * A link carries messages between two ends, in order, each at most once, until one end closes it or it breaks.
 *
 * Payloads: `send` copies a payload in shared memory, because its owner goes on computing there. Any other payload must
 * not change after `send`, and may be sent over several links. A payload that arrives must not be changed either, since
 * within a process it may be the bytes that were sent. It begins at a multiple of 8 bytes, so that float views need no copy.
 */

/** A message as it arrives, whose shape is not known yet, and its payload (empty if it has none). */
export interface Envelope {
  readonly message: unknown;
  readonly payload: Uint8Array;
}

/** What a link reports, never from within a call of one of its methods. */
export interface LinkEvents {
  message(envelope: Envelope): void;
  /**
   * The link is closed. Called exactly once, also after an own `close`: nothing arrives afterwards, and nothing that was
   * sent is still on its way. `reason` is for people: the reason of the end that closed, or what broke. `isFault`: the peer
   * violated the link's protocol.
   */
  closed(reason: string, isFault?: boolean): void;
}

/** One end of a link. */
export interface Link {
  /** The peer, for people: an address, or "local". */
  readonly peer: string;
  /** Bytes of headers and payloads that were sent and have not left this machine yet. */
  readonly bufferedBytes: number;
  /** Starts the delivery of messages, also of those that arrived before. To be called once. */
  open(events: LinkEvents): void;
  /**
   * Sends plain data, as in JSON, and a payload. Ignored when the link is closed. When more than BUFFERED_BYTES_MAX bytes
   * wait for the peer, the link is closed.
   * @param onSent called when the message has left this machine, or has arrived within it; never when the link is closed
   * before, and never from within this call
   */
  send(message: object, payload?: Uint8Array, onSent?: () => void): void;
  /**
   * Returns a payload that arrived and is not needed any more, so that its memory can be reused. It is allowed to keep a
   * payload instead.
   */
  recycle(payload: Uint8Array): void;
  /** The peer has authenticated: these bounds replace the limits for unauthenticated peers. */
  admit(bounds?: FrameBounds): void;
  /** Closes the link when everything before has been sent. No message arrives after this call; `closed` is still called. */
  close(reason: string): void;
  /** Closes the link at once: what waits for the peer is dropped. */
  break(reason: string): void;
}

/** What a peer may send. A link whose peer exceeds a bound is closed before the bytes are received. */
export interface FrameBounds {
  /** Most bytes of a message without its payload. */
  readonly headerBytesMax: number;
  /** Most bytes of the payload of this message, whose shape has not been validated yet. */
  payloadBytesMax(message: object): number;
}

/** A payload of no bytes. */
export const NO_PAYLOAD: Uint8Array = new Uint8Array(0);

/**
 * Most bytes of one frame, header and payload: a peer can make this side hold so many at once. The largest is a chunk of one
 * large record; vectors travel in segments.
 */
export const FRAME_BYTES_MAX = 72 * 2 ** 20;

/** Most bytes that may wait for a peer to read them: two of the largest frames. */
export const BUFFERED_BYTES_MAX = 2 * FRAME_BYTES_MAX;

/** Why a link is closed whose peer does not read. */
export const NOT_READING = 'the peer does not read what it is sent';

/** A payload that a link may keep: a copy if it lies in shared memory or is not aligned, otherwise the payload itself. */
export function ownedPayload(payload: Uint8Array): Uint8Array {
  const keeps = payload.buffer instanceof ArrayBuffer && payload.byteOffset % 8 === 0;
  return keeps ? payload : new Uint8Array(payload);
}
