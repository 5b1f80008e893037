import { sha256Hex } from '../files/sha256.js';
import { chunkBytes, type Manifest } from './manifest.js';

/** Whether bytes that came from elsewhere, or from a cache, are chunk `index` of the data set, whole and unaltered. */
export function isChunk(manifest: Manifest, index: number, bytes: Uint8Array): boolean {
  const hash = manifest.chunkHashes[index];
  return hash !== undefined && bytes.length === chunkBytes(manifest, index) && sha256Hex(bytes) === hash;
}
