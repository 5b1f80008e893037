import { assert, UserError } from '../errors.js';
import { ELEMENT_BYTES, type ElementType, type Field, fieldElements, type Manifest } from './manifest.js';
import { SAMPLES_MAX } from './order.js';

/** Size that chunks are made up to: large enough to send and hash at full speed, small enough to share out. */
export const CHUNK_BYTES_TARGET = 2 ** 20;

/** A data set: what it looks like, and its bytes, chunk by chunk. */
export interface Dataset {
  readonly manifest: Manifest;
  /** The bytes of chunk `index`: its records one after the other. Not to be written to. */
  chunk(index: number): Uint8Array;
}

/**
 * The shape of a field in one sample: what an input of a network is declared with.
 * @throws UserError when there is no such field
 */
export function shapeOf({ manifest }: Dataset, field: string): readonly number[] {
  const { shape } = (Object.hasOwn(manifest.fields, field) && manifest.fields[field]) || {};
  if (shape !== undefined) return shape;
  const names = Object.keys(manifest.fields).join(', ');
  throw new UserError(`data set ${manifest.name} has no field ${field}; its fields are ${names}`);
}

/** One field of all samples, sample after sample: how most file formats keep it. */
export interface Column {
  readonly dtype: ElementType;
  /** Shape of one sample's field; [] for a single number. */
  readonly shape: readonly number[];
  /** samples * product of shape elements, little-endian. */
  readonly bytes: Uint8Array;
  readonly scale: number;
  readonly shift: number;
}

/**
 * A data set in memory. The fields of a sample are brought together in one record, each at a multiple of 4 bytes, so
 * that a sample is one stretch of memory and a chunk is complete in itself.
 * @param hash SHA-256 in hexadecimal, handed in so that this file runs anywhere
 * @throws AssertionError when a column does not hold exactly `samples` fields
 */
export function packDataset(
  name: string,
  samples: number,
  columns: Readonly<Record<string, Column>>,
  hash: (bytes: Uint8Array) => string,
): Dataset {
  assert(samples > 0 && samples <= SAMPLES_MAX, `a data set has 1 to ${SAMPLES_MAX} samples, not ${samples}`);
  const fields: Record<string, Field> = {};
  let recordBytes = 0;
  for (const [field, { dtype, shape, scale, shift }] of Object.entries(columns)) {
    fields[field] = { dtype, shape, offset: recordBytes, scale, shift };
    recordBytes += Math.ceil((fieldElements({ shape }) * ELEMENT_BYTES[dtype]) / 4) * 4;
  }
  const records = new Uint8Array(samples * recordBytes);
  for (const [field, column] of Object.entries(columns)) {
    const size = fieldElements(column) * ELEMENT_BYTES[column.dtype];
    assert(
      column.bytes.length === samples * size,
      `column ${field} must hold ${samples} fields of ${size} bytes`,
    );
    spread(column.bytes, size, records, fields[field]?.offset ?? 0, recordBytes);
  }
  const chunkSamples = Math.max(1, Math.floor(CHUNK_BYTES_TARGET / recordBytes));
  const chunk = (index: number): Uint8Array => {
    const from = index * chunkSamples * recordBytes;
    assert(index >= 0 && from < records.length, `data set ${name} has no chunk ${index}`);
    return records.subarray(from, Math.min(from + chunkSamples * recordBytes, records.length));
  };
  const chunkHashes = Array.from({ length: Math.ceil(samples / chunkSamples) }, (_, i) => hash(chunk(i)));
  return { manifest: { name, samples, chunkSamples, recordBytes, fields, chunkHashes }, chunk };
}

/** Copies consecutive pieces of `size` bytes to places `stride` bytes apart. */
function spread(from: Uint8Array, size: number, to: Uint8Array, offset: number, stride: number): void {
  let at = offset;
  for (let begin = 0; begin < from.length; begin += size, at += stride) {
    // A call costs more than copying a few bytes in place.
    if (size > 16) to.set(from.subarray(begin, begin + size), at);
    else for (let i = 0; i < size; i++) to[at + i] = from[begin + i] as number;
  }
}
