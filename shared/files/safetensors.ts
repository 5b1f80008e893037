/*
 * safetensors files (github.com/huggingface/safetensors) of float32, float16 and bfloat16. The two 16-bit types are read as
 * float32. A file has the length of the header as a little-endian 64-bit integer; the header, JSON {name: {dtype, shape,
 * data_offsets: [begin, end]}, "__metadata__": {text: text}}, padded with spaces; and the tensors' bytes without gaps.
 */
import { UserError } from '../errors.js';
import { writeFileAtomically } from './atomic-file.js';
import { readInto, withRegularFile } from './read-file.js';
import {
  FILE_BYTES_MAX,
  type FileDtype,
  floats,
  headerLength,
  type Metadata,
  parseHeader,
  refusal,
  type Safetensors,
} from './safetensors-decoding.js';
import { encodeSafetensors } from './safetensors-encoding.js';
import type { Tensor } from './tensors.js';

/** Saves tensors atomically. @throws UserError when the file cannot be written */
export async function saveSafetensors(
  path: string,
  tensors: readonly Tensor[],
  metadata?: Metadata,
  dtype?: FileDtype,
): Promise<void> {
  await writeFileAtomically(path, encodeSafetensors(tensors, metadata, dtype));
}

/**
 * Loads tensors. The header is read and checked first, so that memory is allocated only for tensors that exist.
 * @param bytesMax largest file that is read
 * @throws UserError when the file cannot be read, is larger or is malformed
 */
export async function loadSafetensors(path: string, bytesMax = FILE_BYTES_MAX): Promise<Safetensors> {
  return withRegularFile(path, {}, async (file, size) => {
    if (size > bytesMax)
      throw new UserError(
        `${path} has ${size} bytes, more than the ${bytesMax} allowed; check that it is the right file`,
      );
    const read = async (bytes: number, position: number): Promise<Uint8Array> => {
      const into = new Uint8Array(bytes);
      if (await readInto(file, into, position)) return into;
      throw refusal(path, 'ends while it is read');
    };
    const headerBytes = headerLength(await read(Math.min(8, size), 0), size, path);
    const { metadata, tensorEntries } = parseHeader(await read(headerBytes, 8), size - 8 - headerBytes, path);
    const tensors: Tensor[] = [];
    for (const { name, shape, begin, end, dtype } of tensorEntries)
      tensors.push({ name, shape, values: floats(await read(end - begin, 8 + headerBytes + begin), dtype) });
    return { metadata, tensors };
  });
}
