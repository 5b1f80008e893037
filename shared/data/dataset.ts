import { assert, UserError } from '../errors.js';
import { ELEMENT_BYTES, type ElementType, type Field, fieldElements, type Manifest } from './manifest.js';
import { SAMPLES_MAX } from './order.js';

/** Target size of chunks: large enough to send and hash at full speed, small enough to distribute. */
export const CHUNK_BYTES_TARGET = 2 ** 20;

/** A data set: its manifest, and its bytes by chunk. */
export interface Dataset {
  readonly manifest: Manifest;
  /** The bytes of chunk `index`, its records in order. The caller must not modify them. */
  chunk(index: number): Uint8Array;
}

/**
 * The shape of a field in one sample, as an input of a network declares it.
 * @throws UserError when there is no such field
 */
export function shapeOf({ manifest }: Dataset, field: string): readonly number[] {
  const { shape } = (Object.hasOwn(manifest.fields, field) && manifest.fields[field]) || {};
  if (shape !== undefined) return shape;
  const names = Object.keys(manifest.fields).join(', ');
  throw new UserError(`data set ${manifest.name} has no field ${field}; its fields are ${names}`);
}

/** One field of all samples in order, as most file formats store it. */
export interface Column {
  readonly dtype: ElementType;
  /** Shape of one sample's field; [] for a single number. */
  readonly shape: readonly number[];
  /** samples * product of shape elements, little-endian. */
  readonly bytes: Uint8Array;
  readonly scale: number;
  readonly shift: number;
}

/** A data set's name from that of its file or folder. @param otherwise used when no valid character is left */
export function nameAfter(source: string, otherwise: string): string {
  return source.replace(/[^\w-]+/g, '-').slice(0, 80) || otherwise;
}

/** The layout of the fields of a sample in a record. */
export interface RecordLayout {
  readonly recordBytes: number;
  readonly fields: Readonly<Record<string, Field>>;
  readonly chunkSamples: number;
  readonly chunks: number;
  /**
   * Joins the fields of samples to records.
   * @param columns for each field its bytes in all samples, little-endian
   * @throws AssertionError when a column has another number of fields
   */
  join(
    samples: number,
    columns: readonly { readonly field: string; readonly bytes: Uint8Array }[],
  ): Uint8Array;
}

/** The layout of records with consecutive fields, each at a multiple of 4 bytes. */
export function layOutRecords(
  samples: number,
  fields: Readonly<Record<string, Omit<Field, 'offset'>>>,
): RecordLayout {
  assert(samples > 0 && samples <= SAMPLES_MAX, `a data set has 1 to ${SAMPLES_MAX} samples, not ${samples}`);
  const placed: Record<string, Field> = {};
  let recordBytes = 0;
  for (const [name, { dtype, shape, scale, shift }] of Object.entries(fields)) {
    placed[name] = { dtype, shape, offset: recordBytes, scale, shift };
    recordBytes += Math.ceil((fieldElements({ shape }) * ELEMENT_BYTES[dtype]) / 4) * 4;
  }
  const chunkSamples = Math.max(1, Math.floor(CHUNK_BYTES_TARGET / recordBytes));
  return {
    recordBytes,
    fields: placed,
    chunkSamples,
    chunks: Math.ceil(samples / chunkSamples),
    join(count, columns) {
      const records = new Uint8Array(count * recordBytes);
      for (const { field, bytes } of columns) {
        const { dtype, shape, offset } = placed[field] as Field;
        const size = fieldElements({ shape }) * ELEMENT_BYTES[dtype];
        assert(bytes.length === count * size, `column ${field} must hold ${count} fields of ${size} bytes`);
        spread(bytes, size, records, offset, recordBytes);
      }
      return records;
    },
  };
}

/**
 * Packs a data set in memory. A sample is one record with all its fields, each at a multiple of 4 bytes, and a chunk
 * contains whole records.
 * @param hash SHA-256 in hexadecimal, a parameter so that this file runs in browsers too
 * @throws AssertionError when a column does not hold exactly `samples` fields
 */
export function packDataset(
  name: string,
  samples: number,
  columns: Readonly<Record<string, Column>>,
  hash: (bytes: Uint8Array) => string,
): Dataset {
  const { recordBytes, fields, chunkSamples, chunks, join } = layOutRecords(samples, columns);
  const records = join(
    samples,
    Object.entries(columns).map(([field, { bytes }]) => ({ field, bytes })),
  );
  const chunk = (index: number): Uint8Array => {
    const from = index * chunkSamples * recordBytes;
    assert(index >= 0 && from < records.length, `data set ${name} has no chunk ${index}`);
    return records.subarray(from, Math.min(from + chunkSamples * recordBytes, records.length));
  };
  const chunkHashes = Array.from({ length: chunks }, (_, i) => hash(chunk(i)));
  return { manifest: { name, samples, chunkSamples, recordBytes, fields, chunkHashes }, chunk };
}

/** Copies consecutive pieces of `size` bytes to places `stride` bytes apart. */
function spread(from: Uint8Array, size: number, to: Uint8Array, offset: number, stride: number): void {
  let at = offset;
  for (let begin = 0; begin < from.length; begin += size, at += stride) {
    // For few bytes, a loop is faster than a call.
    if (size > 16) to.set(from.subarray(begin, begin + size), at);
    else for (let i = 0; i < size; i++) to[at + i] = from[begin + i] as number;
  }
}
