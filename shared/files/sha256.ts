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

/** More bytes than this are hashed here: to hand them to another thread takes longer, most of it for new memory. */
const HANDED_BYTES_MAX = 64 * 2 ** 20;
/** Bytes that are hashed at once: some milliseconds. */
const TURN_BYTES = 4 * 2 ** 20;

/**
 * SHA-256 beside other work: on another thread, or, of many bytes, in turns with other events of this one. This thread is never
 * blocked for long.
 */
export async function sha256InBackground(bytes: Uint8Array, handedMax = HANDED_BYTES_MAX): Promise<string> {
  if (bytes.byteLength > handedMax) return sha256InTurns(bytes);
  const digest = await crypto.subtle.digest('SHA-256', bytes as Uint8Array<ArrayBuffer>);
  return Buffer.from(digest).toString('hex');
}

async function sha256InTurns(bytes: Uint8Array): Promise<string> {
  const hash = createHash('sha256');
  for (let at = 0; at < bytes.byteLength; at += TURN_BYTES) {
    hash.update(bytes.subarray(at, at + TURN_BYTES));
    await new Promise((resolve) => setImmediate(resolve));
  }
  return hash.digest('hex');
}
