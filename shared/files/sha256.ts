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

/** Bytes that are hashed at once: some milliseconds. */
const TURN_BYTES = 4 * 2 ** 20;

/** SHA-256 on another thread, beside the work of this one. It copies what is hashed. */
export async function sha256Elsewhere(bytes: Uint8Array): Promise<string> {
  const digest = await crypto.subtle.digest('SHA-256', bytes as Uint8Array<ArrayBuffer>);
  return Buffer.from(digest).toString('hex');
}

/** SHA-256 of consecutive pieces in turns with other events of this thread, which is never blocked for long. */
export async function sha256InTurns(pieces: Iterable<Uint8Array>): Promise<string> {
  const hash = createHash('sha256');
  for (const piece of pieces)
    for (let at = 0; at < piece.byteLength; at += TURN_BYTES) {
      hash.update(piece.subarray(at, at + TURN_BYTES));
      await new Promise((resolve) => setImmediate(resolve));
    }
  return hash.digest('hex');
}
