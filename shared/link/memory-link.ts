/*
 * A link between two processes of one machine, whose large payloads take memory that both have instead of the connection. The
 * connection carries the messages, and says where a payload lies; what finds no room in the memory takes the connection, too.
 *
 * The server offers the memory, before the first large payload, to a peer that has authenticated and that connects over the loopback
 * interface. The peer opens it if the connection that the server names is its own, so that nobody is in between, and if its user may. Neither trusts the
 * other for it: a payload has the bounds that it would have on the connection, and the bytes are copied before they are looked at.
 */
import { closeSync } from 'node:fs';
import * as v from 'valibot';
import { randomIdentifier } from '../actor/rng.js';
import { type SharedFile, sharedMemory } from '../kernels/native-kernels.js';
import { plainAddress } from './forwarded.js';
import { WIDEST_BOUNDS } from './frame.js';
import { type FrameBounds, type Link, type LinkEvents, NO_PAYLOAD } from './link.js';
import { isLoopback } from './listen.js';
import {
  holdsSecret,
  LANE_PAYLOAD_MAX,
  LANES_BYTES,
  LaneReader,
  LaneWriter,
  writeSecret,
} from './memory-lane.js';
import type { SpareBuffers } from './spare-buffers.js';

/** Shorter payloads take the connection: to look up where they lie costs as much as to send them. */
const PAYLOAD_BYTES_MIN = 16 * 2 ** 10;
/** Most memories of this process at a time: 8 MiB each. Further peers use their connections alone. */
const MEMORIES_MAX = 16;

const OfferSchema = v.strictObject({
  memoryOffer: v.strictObject({
    process: v.pipe(v.number(), v.safeInteger(), v.minValue(1)),
    file: v.pipe(v.number(), v.safeInteger(), v.minValue(0)),
    /** The port of the peer, as the server sees it. */
    port: v.pipe(v.number(), v.safeInteger()),
    secret: v.pipe(v.string(), v.maxLength(64)),
  }),
});
const AnswerSchema = v.strictObject({ memoryOpened: v.boolean() });
const PlaceSchema = v.strictObject({
  inMemory: v.pipe(v.number(), v.safeInteger(), v.minValue(PAYLOAD_BYTES_MIN), v.maxValue(LANE_PAYLOAD_MAX)),
  message: v.looseObject({}),
});

/** Whether a connection from this address comes from this machine. */
export function isThisMachine(address: string | undefined): boolean {
  return address !== undefined && isLoopback(plainAddress(address));
}

/** Memories in use. */
let memories = 0;

/** How one end uses memory. */
export type MemoryEnd =
  | {
      readonly side: 'server';
      /** The port of the peer, if it is a process of this machine. */
      readonly peerPort: number | undefined;
    }
  | {
      readonly side: 'client';
      /** This end's port of the connection, if the server is a process of this machine. */
      readonly ownPort: number | undefined;
      readonly spares: SpareBuffers;
    };

/** A link that uses memory once both ends have it. */
export class MemoryLink implements Link {
  readonly peer: string;
  readonly #link: Link;
  readonly #end: MemoryEnd;
  #events: LinkEvents | undefined;
  #bounds: FrameBounds = WIDEST_BOUNDS;
  #offered: SharedFile | undefined;
  #writer: LaneWriter | undefined;
  #reader: LaneReader | undefined;
  #isCounted = false;
  #isAdmitted = false;
  /** The peer has violated the protocol. */
  #isFaulty = false;

  constructor(link: Link, end: MemoryEnd) {
    this.peer = link.peer;
    this.#link = link;
    this.#end = end;
  }

  get bufferedBytes(): number {
    return this.#link.bufferedBytes;
  }

  open(events: LinkEvents): void {
    this.#events = events;
    this.#link.open({
      message: ({ message, payload }) => this.#received(message as object, payload),
      closed: (reason, isFault) => {
        this.#withdraw();
        this.#writer = undefined;
        if (this.#isCounted) memories -= 1;
        this.#isCounted = false;
        events.closed(reason, isFault || this.#isFaulty);
      },
    });
  }

  send(message: object, payload: Uint8Array = NO_PAYLOAD, onSent?: () => void): void {
    const bytes = payload.length;
    const isLarge = bytes >= PAYLOAD_BYTES_MIN;
    if (isLarge && this.#writer === undefined) this.#offer();
    if (isLarge && this.#writer?.write(payload))
      this.#link.send({ inMemory: bytes, message }, NO_PAYLOAD, onSent);
    else this.#link.send(message, payload, onSent);
  }

  recycle(payload: Uint8Array): void {
    if (this.#reader?.release(payload) !== true) this.#link.recycle(payload);
  }

  admit(bounds: FrameBounds = WIDEST_BOUNDS): void {
    this.#bounds = bounds;
    this.#link.admit(bounds);
    this.#isAdmitted = true;
  }

  close(reason: string): void {
    this.#link.close(reason);
  }

  break(reason: string): void {
    this.#link.break(reason);
  }

  #received(message: object, payload: Uint8Array): void {
    if ('inMemory' in message) return this.#inMemory(message);
    if ('memoryOffer' in message && this.#end.side === 'client') return this.#accept(message);
    if ('memoryOpened' in message && this.#offered !== undefined) return this.#opened(message);
    this.#events?.message({ message, payload });
  }

  /** A message whose payload lies in memory. */
  #inMemory(place: object): void {
    const reader = this.#reader;
    const parsed = v.safeParse(PlaceSchema, place);
    if (reader === undefined || !parsed.success) return this.#fault('a payload in memory that is not there');
    const { inMemory, message } = parsed.output;
    const most = this.#bounds.payloadBytesMax(message);
    if (inMemory > most)
      return this.#fault(`a message has a payload of ${inMemory} bytes, more than ${most}`);
    const payload = reader.read(inMemory);
    // A server's rooms copy a payload at once and give it back; at a client one may wait, or be dropped.
    if (this.#end.side === 'server') return this.#events?.message({ message, payload });
    const copy = this.#end.spares.take(inMemory);
    copy.set(payload);
    reader.release(payload);
    this.#events?.message({ message, payload: copy });
  }

  #fault(reason: string): void {
    this.#isFaulty = true;
    this.#link.break(reason);
  }

  /** The first large payload is sent, over the connection still. */
  #offer(): void {
    const end = this.#end;
    if (end.side !== 'server' || end.peerPort === undefined || !this.#isAdmitted) return;
    if (this.#isCounted || memories >= MEMORIES_MAX) return;
    const offered = sharedMemory()?.createShared(LANES_BYTES);
    if (offered === undefined) return;
    memories += 1;
    this.#isCounted = true;
    this.#offered = offered;
    const secret = randomIdentifier();
    writeSecret(offered.memory, secret);
    const memoryOffer = { process: process.pid, file: offered.file, port: end.peerPort, secret };
    this.#link.send({ memoryOffer });
  }

  #accept(message: object): void {
    const parsed = v.safeParse(OfferSchema, message);
    const end = this.#end;
    if (!parsed.success || end.side !== 'client' || !this.#isAdmitted || this.#reader !== undefined)
      return this.#fault('an offer of memory out of turn');
    const { process: owner, file, port, secret } = parsed.output.memoryOffer;
    const memory =
      port === end.ownPort ? sharedMemory()?.openShared(`/proc/${owner}/fd/${file}`, LANES_BYTES) : undefined;
    const isRight = memory !== undefined && holdsSecret(memory, secret);
    if (isRight) {
      this.#reader = new LaneReader(memory, 0);
      this.#writer = new LaneWriter(memory, 1);
    }
    this.#link.send({ memoryOpened: isRight });
  }

  /** The peer has the memory, or not. */
  #opened(message: object): void {
    const parsed = v.safeParse(AnswerSchema, message);
    if (!parsed.success) return this.#fault('an answer about memory that is none');
    const memory = this.#offered?.memory;
    this.#withdraw();
    if (!parsed.output.memoryOpened || memory === undefined) return;
    this.#writer = new LaneWriter(memory, 0);
    this.#reader = new LaneReader(memory, 1);
  }

  /** Nobody else can open the memory any more; those who have it keep it. */
  #withdraw(): void {
    if (this.#offered !== undefined) closeSync(this.#offered.file);
    this.#offered = undefined;
  }
}
