/*
 * The manifest of a data set: all that a worker needs to know before the first chunk arrives. It has the SHA-256 of every
 * chunk, so it identifies the data.
 */
import * as v from 'valibot';
import { UserError } from '../errors.js';
import { SAMPLES_MAX } from './order.js';

/** Largest chunk. Chunks are about 1 MiB, but a single record may be larger. */
export const CHUNK_BYTES_MAX = 64 * 2 ** 20;
/** Most chunks of a data set. */
export const CHUNKS_MAX = 2 ** 17;
/** Most fields of a record. */
const FIELDS_MAX = 32;
/** Most dimensions of a field. */
export const DIMENSIONS_MAX = 8;

/** Bytes of one element. */
export const ELEMENT_BYTES = { u8: 1, f32: 4, i32: 4 } as const;
/** Element types: unsigned byte, little-endian float32 and int32. */
export type ElementType = keyof typeof ELEMENT_BYTES;

/** One field of every record, such as the image or its label. */
export interface Field {
  readonly dtype: ElementType;
  /** Row-major; [] for a single number. */
  readonly shape: readonly number[];
  /** Offset of the field in the record: a multiple of 4, except in windows of bytes. */
  readonly offset: number;
  /** What the network sees of a byte: fma(byte, scale, shift). Exact float32 numbers; 1 and 0 for f32 and i32. */
  readonly scale: number;
  readonly shift: number;
}

/** A data set: `samples` records of `recordBytes`, in chunks of `chunkSamples` (the last may be smaller). */
export interface Manifest {
  readonly name: string;
  readonly samples: number;
  readonly chunkSamples: number;
  readonly recordBytes: number;
  /**
   * For records that are overlapping windows (see text.ts): bytes after the last record of a chunk that its windows
   * include.
   */
  readonly overlapBytes?: number;
  readonly fields: Readonly<Record<string, Field>>;
  /** SHA-256 of each chunk, lower-case hexadecimal. */
  readonly chunkHashes: readonly string[];
}

const count = (max: number) => v.pipe(v.number(), v.integer(), v.minValue(1), v.maxValue(max));
const float32 = v.pipe(
  v.number(),
  v.check((x) => Number.isFinite(x) && Math.fround(x) === x, 'is not a float32'),
);

/** A field without its place in a record. */
export const STORED_FIELD = v.strictObject({
  dtype: v.picklist(['u8', 'f32', 'i32']),
  shape: v.pipe(v.array(count(CHUNK_BYTES_MAX)), v.maxLength(DIMENSIONS_MAX)),
  scale: float32,
  shift: float32,
});

const FieldSchema = v.pipe(
  v.strictObject({
    ...STORED_FIELD.entries,
    offset: v.pipe(v.number(), v.integer(), v.minValue(0), v.maxValue(CHUNK_BYTES_MAX)),
  }),
  v.check(
    ({ dtype, scale, shift }) => dtype === 'u8' || (scale === 1 && shift === 0),
    'only bytes are scaled',
  ),
);

/** The name of a field: that of an input of a network. Objects of a message cannot have the two names that are left out. */
export const FIELD_NAME = /^(?!(?:constructor|prototype)$)[A-Za-z][\w.-]{0,63}$/;
/** The same for people. */
export const FIELD_NAME_RULE = 'a letter, then letters, digits, _ . or -, at most 64 characters';

/** Schema of a manifest. */
export const ManifestSchema = v.pipe(
  v.strictObject({
    name: v.pipe(v.string(), v.regex(/^[\w.-]{1,100}$/)),
    samples: count(SAMPLES_MAX),
    chunkSamples: count(SAMPLES_MAX),
    recordBytes: count(CHUNK_BYTES_MAX),
    overlapBytes: v.exactOptional(count(CHUNK_BYTES_MAX)),
    fields: v.pipe(
      v.record(v.pipe(v.string(), v.regex(FIELD_NAME)), FieldSchema),
      v.minEntries(1),
      v.maxEntries(FIELDS_MAX),
    ),
    chunkHashes: v.pipe(v.array(v.pipe(v.string(), v.regex(/^[0-9a-f]{64}$/))), v.maxLength(CHUNKS_MAX)),
  }),
  v.check(
    (m) => m.chunkSamples * m.recordBytes + (m.overlapBytes ?? 0) <= CHUNK_BYTES_MAX,
    `a chunk exceeds ${CHUNK_BYTES_MAX} bytes`,
  ),
  v.check((m) => m.chunkHashes.length === chunkCount(m), 'chunkHashes must hold one hash for each chunk'),
  v.check(
    (m) => Object.values(m.fields).every((f) => endOf(f) <= m.recordBytes + (m.overlapBytes ?? 0)),
    'a field exceeds the record',
  ),
  v.check(
    (m) => oddPlace(m) === undefined,
    ({ input }) => `${oddPlace(input)} is not a multiple of 4`,
  ),
);

/**
 * Validates a manifest from outside.
 * @param source named in the error, such as a file
 * @throws UserError that names the malformed part
 */
export function parseManifest(value: unknown, source: string): Manifest {
  const result = v.safeParse(ManifestSchema, value);
  if (result.success) return result.output;
  const [issue] = result.issues;
  const path = v.getDotPath(issue);
  throw new UserError(
    `${source} is not a valid manifest of a data set: ${path === null ? '' : `${path}: `}${issue.message}; create it again`,
  );
}

/** Number of elements of a field in a record. */
export function fieldElements(field: Pick<Field, 'shape'>): number {
  return field.shape.reduce((product, size) => product * size, 1);
}

/** Number of chunks of a data set. */
export function chunkCount(manifest: Pick<Manifest, 'samples' | 'chunkSamples'>): number {
  return Math.ceil(manifest.samples / manifest.chunkSamples);
}

/** Size of a chunk in bytes. The last one may be smaller. */
export function chunkBytes(manifest: Manifest, index: number): number {
  const samples = Math.min(manifest.chunkSamples, manifest.samples - index * manifest.chunkSamples);
  return samples * manifest.recordBytes + (manifest.overlapBytes ?? 0);
}

/** The first size or offset that should be a multiple of 4 and is not: kernels read words. Windows of bytes are exempt. */
function oddPlace({ recordBytes, overlapBytes, fields }: Omit<Manifest, 'name'>): string | undefined {
  const entries = Object.entries(fields);
  if (overlapBytes !== undefined && entries.every(([, { dtype }]) => dtype === 'u8')) return undefined;
  if (recordBytes % 4 !== 0) return 'recordBytes';
  const [name] = entries.find(([, { offset }]) => offset % 4 !== 0) ?? [];
  return name === undefined ? undefined : `fields.${name}.offset`;
}

function endOf(field: Field): number {
  return field.offset + fieldElements(field) * ELEMENT_BYTES[field.dtype];
}
