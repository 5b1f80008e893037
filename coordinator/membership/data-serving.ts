import { chunkBytes, type Manifest } from '../../shared/data/manifest.js';
import { NEED_CHUNKS_MAX } from '../../shared/protocol/limits.js';

/*
 * Which chunk of the training data is sent next, and to whom. A chunk is sent when those before it have left this machine,
 * so a member that does not read holds up nobody else and makes nothing grow. Members are served in turn.
 */

/** Chunks of one member that were sent and have not left this machine: one is written while the next one waits. */
const CHUNKS_IN_FLIGHT_MAX = 2;
/** Bytes of chunks of all members that were sent and have not left this machine. */
const CHUNK_BYTES_IN_FLIGHT_MAX = 128 * 2 ** 20;
/** While others wait because too much is in flight, a member that has not read a chunk for so long makes room. */
const UNREAD_MS = 1000;

/** A chunk is compressed where the link is slower than this: 200 Mbit/s. To compress takes a core 7 ms per MB. */
const SLOW_MS_PER_MB = 40;

/** What one member is sent. */
interface Served {
  /** Chunks that it requested and that were not sent yet, in the order of the requests. */
  readonly requested: number[];
  /** Chunks in flight; the oldest first. */
  readonly inFlight: { readonly bytes: number; readonly sentAtMs: number }[];
  /** The first chunk, which is stored before any other is requested, unless the member needs all of them at once. */
  first: { readonly bytes: number; readonly sentAtMs: number } | undefined;
  /** When the latest chunk has left this machine. */
  leftAtMs: number;
  /** Its link was seen to be slow: chunks are compressed from now on. */
  isSlow: boolean;
}

/** Who is sent which chunks. */
export interface DataServing {
  /** By member id. */
  readonly served: Map<string, Served>;
  /** Ids of members to which a chunk can be sent now; the one that was served the longest time ago first. */
  readonly turns: Set<string>;
  /** Bytes in flight to all members. */
  bytes: number;
  /** A chunk was sent, and the next one is not due yet. */
  isPaused: boolean;
}

/** Nobody has requested anything. */
export function noDataServing(): DataServing {
  return { served: new Map(), turns: new Set(), bytes: 0, isPaused: false };
}

function nothingServed(): Served {
  return { requested: [], inFlight: [], first: undefined, leftAtMs: 0, isSlow: false };
}

/** A member requests chunks. @returns why it may not; undefined when it may */
export function requestChunks(
  { served, turns }: DataServing,
  id: string,
  chunks: readonly number[],
): string | undefined {
  const own = served.get(id) ?? nothingServed();
  if (own.requested.length + own.inFlight.length + chunks.length > NEED_CHUNKS_MAX)
    return `requested more than ${NEED_CHUNKS_MAX} chunks at once`;
  served.set(id, own);
  own.requested.push(...chunks);
  if (own.inFlight.length < CHUNKS_IN_FLIGHT_MAX) turns.add(id);
  return undefined;
}

/** Takes the next chunk to send, and pauses; undefined when none may be sent now. */
export function takeNext(
  serving: DataServing,
  data: Manifest,
  nowMs: number,
): { readonly id: string; readonly index: number; readonly deflates: boolean } | undefined {
  const { served, turns } = serving;
  const [id] = turns;
  if (id === undefined || serving.isPaused) return undefined;
  const own = served.get(id) as Served;
  const [index] = own.requested as [number];
  const bytes = chunkBytes(data, index);
  // One chunk may always be in flight, however large it is.
  if (serving.bytes > 0 && serving.bytes + bytes > CHUNK_BYTES_IN_FLIGHT_MAX) return undefined;
  own.requested.shift();
  const chunk = { bytes, sentAtMs: nowMs };
  own.inFlight.push(chunk);
  own.first ??= chunk;
  serving.bytes += bytes;
  serving.isPaused = true;
  turns.delete(id);
  if (own.requested.length > 0 && own.inFlight.length < CHUNKS_IN_FLIGHT_MAX) turns.add(id);
  return { id, index, deflates: own.isSlow };
}

/** The oldest chunk in flight to a member has left this machine. */
export function noteSent(serving: DataServing, id: string, nowMs: number): void {
  const own = serving.served.get(id);
  const chunk = own?.inFlight.shift();
  if (own === undefined || chunk === undefined) return;
  serving.bytes -= chunk.bytes;
  own.isSlow ||= isSlow(chunk.bytes, nowMs - Math.max(chunk.sentAtMs, own.leftAtMs));
  own.leftAtMs = nowMs;
  if (own.requested.length > 0) serving.turns.add(id);
}

/** A member has stored the first chunk. The system's buffers can hold several, so that they leave a machine sooner than they arrive. */
export function noteFirstStored({ served }: DataServing, id: string, nowMs: number): void {
  const own = served.get(id);
  if (own?.first !== undefined) own.isSlow ||= isSlow(own.first.bytes, nowMs - own.first.sentAtMs);
}

function isSlow(bytes: number, ms: number): boolean {
  return ms > (bytes / 1e6) * SLOW_MS_PER_MB;
}

/** Whether a member waits for chunks that it requested. */
export function isWaitingForData({ served }: DataServing, id: string): boolean {
  const own = served.get(id);
  return own !== undefined && own.requested.length + own.inFlight.length > 0;
}

/** A member is gone, and with it everything that was in flight to it. */
export function endServing(serving: DataServing, id: string): void {
  for (const { bytes } of serving.served.get(id)?.inFlight ?? []) serving.bytes -= bytes;
  serving.served.delete(id);
  serving.turns.delete(id);
}

/** Members that have to make room for those that wait: as many as wait, those that have not read for the longest time. */
export function unreadWhileOthersWait(
  { served, turns, isPaused }: DataServing,
  nowMs: number,
): readonly string[] {
  if (turns.size === 0 || isPaused) return [];
  const unread = [...served].flatMap(
    ([
      id,
      {
        inFlight: [oldest],
      },
    ]) =>
      oldest === undefined || nowMs - oldest.sentAtMs < UNREAD_MS ? [] : [{ id, sinceMs: oldest.sentAtMs }],
  );
  unread.sort((a, b) => a.sinceMs - b.sinceMs);
  return unread.slice(0, turns.size).map(({ id }) => id);
}
