/*
 * Decompresses frames of LZ4, as Arrow files have them:
 * https://github.com/lz4/lz4/blob/dev/doc/lz4_Frame_format.md
 */
import { decompressBlock } from 'lz4js';

const MAGIC = 0x184d2204;
const VERSION = 1;
const HAS_BLOCK_CHECKSUM = 0x10;
const HAS_CONTENT_SIZE = 0x08;
const HAS_DICTIONARY = 0x01;
/** In the size of a block: its bytes are as they were. */
const IS_STORED = 0x8000_0000;

/**
 * @param size bytes of the content
 * @throws Error when the frame is damaged, or its content has another size. Checksums, which Arrow does without, are not compared.
 */
export function decompressLz4Frame(bytes: Uint8Array, size: number): Uint8Array {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const flags = view.getUint8(4);
  if (view.getUint32(0, true) !== MAGIC || flags >> 6 !== VERSION || flags & HAS_DICTIONARY)
    throw new Error('not a frame of LZ4');
  const content = new Uint8Array(size);
  let from = 7 + (flags & HAS_CONTENT_SIZE ? 8 : 0);
  let to = 0;
  for (;;) {
    const field = view.getUint32(from, true);
    from += 4;
    if (field === 0) break;
    const length = (field & ~IS_STORED) >>> 0;
    if (from + length > bytes.length) throw new Error('a block of LZ4 that is cut off');
    if (field & IS_STORED) {
      content.set(bytes.subarray(from, from + length), to);
      to += length;
    } else to = decompressBlock(bytes, content, from, length, to);
    from += length + (flags & HAS_BLOCK_CHECKSUM ? 4 : 0);
  }
  if (to !== size) throw new Error(`LZ4 gave ${to} bytes instead of ${size}`);
  return content;
}
