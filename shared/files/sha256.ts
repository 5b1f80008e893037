import { createHash } from 'node:crypto';

/** SHA-256 of bytes, lower-case hexadecimal. */
export function sha256Hex(bytes: Uint8Array): string {
  return sha256OfPieces([bytes]);
}

/** SHA-256 of consecutive pieces of bytes, lower-case hexadecimal. A piece may be reused when the next one is taken. */
export function sha256OfPieces(pieces: Iterable<Uint8Array>): string {
  const hash = createHash('sha256');
  for (const piece of pieces) hash.update(piece);
  return hash.digest('hex');
}

/** SHA-256 computed on another thread. This thread is blocked only while the bytes are copied. */
export async function sha256InBackground(bytes: Uint8Array): Promise<string> {
  const digest = await crypto.subtle.digest('SHA-256', bytes as Uint8Array<ArrayBuffer>);
  return Buffer.from(digest).toString('hex');
}
