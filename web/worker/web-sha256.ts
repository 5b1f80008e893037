/* Stands in for shared/files/sha256.ts in browsers: pages without TLS have no SHA-256 of the browser's own. */
import { sha256 } from '@noble/hashes/sha2.js';
import { bytesToHex } from '@noble/hashes/utils.js';

/** SHA-256 of bytes, lower-case hexadecimal. */
export function sha256Hex(bytes: Uint8Array): string {
  return sha256OfPieces([bytes]);
}

/** SHA-256 of consecutive pieces of bytes, lower-case hexadecimal. A piece may be reused when the next one is taken. */
export function sha256OfPieces(pieces: Iterable<Uint8Array>): string {
  const hash = sha256.create();
  for (const piece of pieces) hash.update(piece);
  return bytesToHex(hash.digest());
}
