/*
 * The data that a worker fetches from its coordinator: the first chunk before it is ready, and the others when the coordinator
 * has found out that the worker makes the run faster. A worker on standby costs the run no more than a rehearsal now and then.
 */
import { assert } from '../shared/errors.js';
import type { Chunk } from '../shared/protocol/messages.js';
import type { Prepared } from './executor.js';
import { endWorker, outOfTurn, type WorkerEffect } from './messages.js';

/** Most chunks that are requested and not stored: enough to keep the link busy, few enough to bound the memory of both sides. */
const REQUESTED_CHUNKS_MAX = 8;

/** The data fetch's part of a worker's state. */
export interface DataFetch {
  /** Chunks that are to be requested next, ascending. */
  missing: number[];
  /** Chunks that are requested when the coordinator says so, ascending. */
  later: number[];
  /** Chunks that have been requested and are not stored yet. */
  readonly requested: Set<number>;
}

export function createDataFetch(): DataFetch {
  return { missing: [], later: [], requested: new Set() };
}

/** Whether no chunk is on its way. */
export function isIdle({ missing, requested }: DataFetch): boolean {
  return missing.length === 0 && requested.size === 0;
}

/** Whether every chunk is stored. */
export function isComplete(fetch: DataFetch): boolean {
  return isIdle(fetch) && fetch.later.length === 0;
}

/** Begins to fetch the first of the chunks that the executor does not have, or all of them where it needs them. */
export function startFetch(
  fetch: DataFetch,
  { missing, needsAllData = false }: Pick<Prepared, 'missing' | 'needsAllData'>,
): WorkerEffect[] {
  assert(isIdle(fetch), 'a worker fetches the data of one run at a time');
  const first = needsAllData ? missing.length : 1;
  fetch.missing = missing.slice(0, first);
  fetch.later = missing.slice(first);
  return requestMore(fetch);
}

/** The coordinator wants the worker to have all data. */
export function onFetch(fetch: DataFetch): WorkerEffect[] {
  if (!isIdle(fetch) || isComplete(fetch)) return outOfTurn('fetch');
  fetch.missing = fetch.later;
  fetch.later = [];
  return requestMore(fetch);
}

/** A chunk arrived. */
export function onChunk(fetch: DataFetch, { index, isDeflated }: Chunk, bytes: Uint8Array): WorkerEffect[] {
  return fetch.requested.has(index)
    ? [{ kind: 'store', index, bytes, isDeflated: isDeflated === true }]
    : outOfTurn('chunk');
}

/** A chunk was stored, or its hash is wrong. */
export function onStored(
  fetch: DataFetch,
  { index, isValid }: { readonly index: number; readonly isValid: boolean },
): WorkerEffect[] {
  if (!isValid) return endWorker('failed', `chunk ${index} of the data has the wrong hash; join again`);
  // Both copies of a chunk can arrive before the first of them is stored.
  if (!fetch.requested.delete(index))
    return endWorker('failed', `the coordinator sent chunk ${index} of the data twice`);
  return requestMore(fetch);
}

/** The link is gone, and with it every request. */
export function cancelFetch(fetch: DataFetch): void {
  fetch.missing = [];
  fetch.later = [];
  fetch.requested.clear();
}

function requestMore(fetch: DataFetch): WorkerEffect[] {
  const chunks = fetch.missing.splice(0, REQUESTED_CHUNKS_MAX - fetch.requested.size);
  if (chunks.length === 0) return [];
  for (const index of chunks) fetch.requested.add(index);
  return [{ kind: 'send', message: { kind: 'need', chunks } }];
}
