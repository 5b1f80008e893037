import { concatenated } from '../../shared/concatenated.js';

/** What a coordinator has compressed: raw DEFLATE (RFC 1951). @throws Error when it is damaged or would exceed `bytesMax` bytes */
export async function inflateChunk(bytes: Uint8Array, bytesMax: number): Promise<Uint8Array> {
  const blob = new Blob([bytes as Uint8Array<ArrayBuffer>]);
  const reader = blob.stream().pipeThrough(new DecompressionStream('deflate-raw')).getReader();
  const parts: Uint8Array[] = [];
  let length = 0;
  for (let next = await reader.read(); !next.done; next = await reader.read()) {
    parts.push(next.value);
    length += next.value.byteLength;
    if (length <= bytesMax) continue;
    await reader.cancel();
    throw new Error(`it is larger than ${bytesMax} bytes`);
  }
  return concatenated(Uint8Array, parts);
}
