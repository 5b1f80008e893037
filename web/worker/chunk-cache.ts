/*
 * Chunks of training data that this browser keeps under their hash, so that a tab that joins again is sent only what it lacks.
 * They are in IndexedDB, which pages without TLS have too. Everything of this origin can change them: whoever reads a chunk
 * verifies it.
 */

/** Most bytes of chunks that are kept; the oldest are deleted first. */
export const KEPT_BYTES_MAX = 512 * 2 ** 20;
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

/** The chunks that this browser keeps. Every method throws an Error with a one-line message when the browser refuses. */
export class ChunkCache {
  private constructor(private readonly database: IDBDatabase) {}

  /** Opens the cache of this origin. */
  static async open(): Promise<ChunkCache> {
    if (globalThis.indexedDB === undefined) throw new Error('it has no IndexedDB');
    const opening = indexedDB.open(DATABASE, 1);
    opening.onupgradeneeded = () => {
      opening.result.createObjectStore(CHUNKS);
      const entries = opening.result.createObjectStore(ENTRIES, { keyPath: 'place', autoIncrement: true });
      entries.createIndex(BY_HASH, 'hash', { unique: true });
    };
    return new ChunkCache(await resultOf(opening));
  }

  /** The bytes under a hash, unverified; undefined when nothing is kept there. */
  async read(hash: string): Promise<Uint8Array | undefined> {
    const value: unknown = await resultOf(this.database.transaction(CHUNKS).objectStore(CHUNKS).get(hash));
    return value instanceof Uint8Array ? value : undefined;
  }

  /** Keeps a chunk, in place of what is there under its hash, and deletes the oldest chunks when there are too many. */
  async keep(hash: string, bytes: Uint8Array): Promise<void> {
    const transaction = this.database.transaction([CHUNKS, ENTRIES], 'readwrite');
    const done = endOf(transaction);
    const [chunks, entries] = [transaction.objectStore(CHUNKS), transaction.objectStore(ENTRIES)];
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
    await done;
  }

  /** Bytes of all chunks that are kept. */
  async bytes(): Promise<number> {
    const entries = await resultOf(this.database.transaction(ENTRIES).objectStore(ENTRIES).getAll());
    return bytesOf(entries as Entry[]);
  }

  /** Deletes everything. */
  async clear(): Promise<void> {
    const transaction = this.database.transaction([CHUNKS, ENTRIES], 'readwrite');
    const done = endOf(transaction);
    for (const store of [CHUNKS, ENTRIES]) transaction.objectStore(store).clear();
    await done;
  }

  /** Ends the use of this object; what is kept stays. */
  close(): void {
    this.database.close();
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

/** Some browsers give no message. */
function errorOf(error: DOMException | null): Error {
  return new Error(error?.message || error?.name || 'it gives no reason');
}
