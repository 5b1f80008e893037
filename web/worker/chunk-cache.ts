/*
 * Chunks of training data that this browser keeps under their hash, so that a tab that joins again is sent only what it lacks.
 * They are in IndexedDB, which pages without TLS have too. Everything of this origin can change them: whoever reads a chunk
 * verifies it. Another tab can hold a database for as long as it likes: every wait for it ends after WAIT_MS_MAX.
 */
import type { Clock } from '../../shared/actor/clock.js';

/** Most bytes of chunks that are kept; the oldest are deleted first. */
export const KEPT_BYTES_MAX = 512 * 2 ** 20;
/** Longest wait for the browser. A chunk is read in milliseconds, and fetched in a second or two. */
const WAIT_MS_MAX = 10_000;
/** Most chunks that are kept, however small they are. */
const KEPT_CHUNKS_MAX = 4096;

const DATABASE = 'unisum';
/** The bytes of a chunk, under its hash. */
const CHUNKS = 'chunks';
/** What is kept, in the order in which it was stored, under the same hashes. */
const ENTRIES = 'entries';
const BY_HASH = 'hash';

interface Entry {
  /** Ascending. */
  readonly place: number;
  readonly hash: string;
  readonly bytes: number;
}

/**
 * The chunks that this browser keeps. Every method throws an Error with a one-line message when the browser refuses, or does
 * not answer in time.
 */
export class ChunkCache {
  private constructor(
    private readonly database: IDBDatabase,
    private readonly clock: Clock,
  ) {}

  /** Opens the cache of this origin. */
  static async open(clock: Clock): Promise<ChunkCache> {
    if (globalThis.indexedDB === undefined) throw new Error('it has no IndexedDB');
    const opening = indexedDB.open(DATABASE, 1);
    opening.onupgradeneeded = () => {
      opening.result.createObjectStore(CHUNKS);
      const entries = opening.result.createObjectStore(ENTRIES, { keyPath: 'place', autoIncrement: true });
      entries.createIndex(BY_HASH, 'hash', { unique: true });
    };
    const database = await inTime(resultOf(opening), clock, () => {
      // An open database would keep others from changing it.
      opening.onsuccess = () => opening.result.close();
    });
    return new ChunkCache(database, clock);
  }

  /** The bytes under a hash, unverified; undefined when nothing is kept there. */
  async read(hash: string): Promise<Uint8Array | undefined> {
    const value: unknown = await this.inTime(resultOf(this.store(CHUNKS).get(hash)));
    return value instanceof Uint8Array ? value : undefined;
  }

  /** Keeps a chunk, in place of what is there under its hash, and deletes the oldest chunks when there are too many. */
  async keep(hash: string, bytes: Uint8Array): Promise<void> {
    const { chunks, entries, done } = this.change();
    // A view is copied with all of the buffer behind it.
    chunks.put(bytes.slice(), hash);
    const found = entries.getAll();
    found.onsuccess = () => {
      const others = (found.result as Entry[]).filter((entry) => {
        if (entry.hash === hash) entries.delete(entry.place);
        return entry.hash !== hash;
      });
      let total = bytes.byteLength + bytesOf(others);
      let count = others.length + 1;
      for (const oldest of others) {
        if (total <= KEPT_BYTES_MAX && count <= KEPT_CHUNKS_MAX) break;
        chunks.delete(oldest.hash);
        entries.delete(oldest.place);
        total -= oldest.bytes;
        count -= 1;
      }
      entries.add({ hash, bytes: bytes.byteLength });
    };
    await this.inTime(done);
  }

  /** Bytes of all chunks that are kept. */
  async bytes(): Promise<number> {
    return bytesOf((await this.inTime(resultOf(this.store(ENTRIES).getAll()))) as Entry[]);
  }

  /** Deletes everything. */
  async clear(): Promise<void> {
    const { chunks, entries, done } = this.change();
    for (const store of [chunks, entries]) store.clear();
    await this.inTime(done);
  }

  /** Ends the use of this object; what is kept stays. */
  close(): void {
    this.database.close();
  }

  /** A store, to read from. */
  private store(name: string): IDBObjectStore {
    return this.database.transaction(name).objectStore(name);
  }

  /** Both stores in one transaction, and its end. */
  private change() {
    const transaction = this.database.transaction([CHUNKS, ENTRIES], 'readwrite');
    const [chunks, entries] = [transaction.objectStore(CHUNKS), transaction.objectStore(ENTRIES)];
    return { chunks, entries, done: endOf(transaction) };
  }

  /** A cache that does not answer is not used any more. */
  private inTime<T>(waiting: Promise<T>): Promise<T> {
    return inTime(waiting, this.clock, () => this.close());
  }
}

function bytesOf(entries: readonly Entry[]): number {
  return entries.reduce((sum, { bytes }) => sum + bytes, 0);
}

function resultOf<T>(request: IDBRequest<T>): Promise<T> {
  return new Promise((resolve, reject) => {
    request.onsuccess = () => resolve(request.result);
    request.onerror = () => reject(errorOf(request.error));
  });
}

function endOf(transaction: IDBTransaction): Promise<void> {
  return new Promise((resolve, reject) => {
    transaction.oncomplete = () => resolve();
    transaction.onabort = () => reject(errorOf(transaction.error));
  });
}

/** Waits for something, but not for longer than WAIT_MS_MAX. */
function inTime<T>(waiting: Promise<T>, clock: Clock, giveUp: () => void): Promise<T> {
  return new Promise((resolve, reject) => {
    const cancel = clock.after(WAIT_MS_MAX, () => {
      giveUp();
      reject(new Error(`it did not answer within ${WAIT_MS_MAX / 1000} s`));
    });
    void waiting.then(resolve, reject).finally(cancel);
  });
}

/** Some browsers give no message. */
function errorOf(error: DOMException | null): Error {
  return new Error(error?.message || error?.name || 'it gives no reason');
}
