import type { DataPlacement, FieldPlacement } from '../../shared/compiler/batch-rows.js';
import type { ComputeMemory } from '../../shared/engine/memory.js';
import { elementsOf, type Shape } from '../../shared/graph/shape.js';
import type { ComputeSpace } from './compute-space.js';

/** One field of all samples, row-major: [samples, ...shape]. */
export interface Column {
  readonly dtype: FieldPlacement['dtype'];
  /** Shape in one sample. */
  readonly shape: Shape;
  readonly values: ArrayLike<number>;
  /** For bytes: the network's input is byte * scale + shift. */
  readonly scale?: number;
  readonly shift?: number;
}

export type Columns = Readonly<Record<string, Column>>;

/** Samples of a chunk: few, so that tests cover chunk borders. */
const CHUNK_SAMPLES = 5;
const ELEMENT_BYTES = { u8: 1, f32: 4, i32: 4 } as const;

/** Writes samples into memory as records in chunks, in the order of the columns. */
export function placeSamples(
  { memory }: ComputeSpace,
  columns: Columns,
): DataPlacement & { samples: number } {
  let recordBytes = 0;
  const fields: Record<string, FieldPlacement> = {};
  for (const [name, { dtype, shape, scale = 1, shift = 0 }] of Object.entries(columns)) {
    fields[name] = { dtype, shape, offset: recordBytes, scale, shift };
    recordBytes += Math.ceil((elementsOf(shape) * ELEMENT_BYTES[dtype]) / 4) * 4;
  }
  const [first] = Object.values(columns);
  const samples = first === undefined ? 0 : first.values.length / elementsOf(first.shape);
  const chunks = Array.from({ length: Math.ceil(samples / CHUNK_SAMPLES) }, () =>
    memory.allocate(CHUNK_SAMPLES * recordBytes),
  );
  for (const [name, column] of Object.entries(columns)) {
    const { offset } = fields[name] as FieldPlacement;
    for (let sample = 0; sample < samples; sample++) {
      const chunk = chunks[Math.floor(sample / CHUNK_SAMPLES)] as number;
      writeField(memory, column, sample, chunk + (sample % CHUNK_SAMPLES) * recordBytes + offset);
    }
  }
  const chunkTable = memory.allocate(chunks.length * 4);
  memory.u32(chunkTable, chunks.length).set(chunks);
  const order = memory.allocate(samples * 4);
  memory.u32(order, samples).set(Array.from({ length: samples }, (_, i) => i));
  const cursor = memory.allocate(12);
  memory.u32(cursor, 3).set([order, 0, 0]);
  return { chunkTable, cursor, seed: 1, chunkSamples: CHUNK_SAMPLES, recordBytes, fields, samples };
}

function writeField(
  memory: ComputeMemory,
  { dtype, shape, values }: Column,
  sample: number,
  at: number,
): void {
  const elements = elementsOf(shape);
  const row = Array.from({ length: elements }, (_, i) => values[sample * elements + i] as number);
  if (dtype === 'u8') memory.u8(at, elements).set(row);
  else if (dtype === 'i32') memory.u32(at, elements).set(row);
  else memory.f32(at, elements).set(row);
}
