import { chunkBytes, type Manifest } from './manifest.js';

/**
 * Whether bytes from another machine or a cache are exactly chunk `index` of the data set.
 * @param sha256Hex SHA-256 in hexadecimal: Node and browsers have different ones
 */
export function isChunk(
  manifest: Manifest,
  index: number,
  bytes: Uint8Array,
  sha256Hex: (bytes: Uint8Array) => string,
): boolean {
  const hash = manifest.chunkHashes[index];
  return hash !== undefined && bytes.length === chunkBytes(manifest, index) && sha256Hex(bytes) === hash;
}
