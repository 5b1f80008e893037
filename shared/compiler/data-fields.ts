/*
 * Fields of the data: how a model uses them, checks, and the gather into row tensors.
 */
import { UserError } from '../errors.js';
import type { KernelSink } from '../graph/ops/op.js';
import { elementsOf, formatShape, type Shape, sameShape } from '../graph/shape.js';
import type { BatchRows, DataPlacement, FieldPlacement } from './batch-rows.js';

/** A field of the data that a model uses, with the shape and type that it needs. */
export interface FieldUse {
  readonly name: string;
  /** Shape in one sample. */
  readonly shape: Shape;
  readonly dtype: 'f32' | 'i32';
}

/** The field of the data that holds the weight of a sample. */
export function sampleWeightField(name: string): FieldUse {
  return { name, shape: [], dtype: 'f32' };
}

/**
 * Checks that the data has the fields that a model uses.
 * @param fields the description of the fields in the data
 * @throws UserError that names the field and both shapes or types
 */
export function checkFields(
  uses: readonly FieldUse[],
  fields: Readonly<Record<string, Pick<FieldPlacement, 'dtype' | 'shape'>>>,
): void {
  for (const use of uses) fieldOf(use, fields);
}

/** Emits the call that gathers a field of the samples of a range into a row tensor at `out`. */
export function emitGather(
  to: KernelSink,
  use: FieldUse,
  { rows, first, data }: BatchRows,
  out: number,
): void {
  const field = fieldOf(use, data.fields);
  const { chunkTable, cursor, chunkSamples, recordBytes } = data satisfies DataPlacement;
  const target = { out, chunkTable, cursor, first, rows, elements: elementsOf(use.shape) };
  const record = { chunkSamples, recordBytes, fieldOffset: field.offset };
  if (field.dtype !== 'u8') to.emit('gatherWords', { ...target, ...record });
  else if (use.dtype === 'i32') to.emit('gatherU8AsI32', { ...target, ...record });
  else to.emit('gatherU8', { ...target, ...record, scale: field.scale, shift: field.shift });
}

function fieldOf<F extends Pick<FieldPlacement, 'dtype' | 'shape'>>(
  use: FieldUse,
  fields: Readonly<Record<string, F>>,
): F {
  const field = Object.hasOwn(fields, use.name) ? fields[use.name] : undefined;
  if (field === undefined) {
    const names = Object.keys(fields).join(', ');
    throw new UserError(`the model uses the field ${use.name}, but the data has ${names}; use one of these`);
  }
  if (!sameShape(field.shape, use.shape)) {
    throw new UserError(
      `field ${use.name}: the data has shape ${formatShape(field.shape)}, the model needs ` +
        `${formatShape(use.shape)}; change the model's input, output or loss`,
    );
  }
  if (field.dtype !== 'u8' && field.dtype !== use.dtype) {
    throw new UserError(
      `field ${use.name}: the data has ${field.dtype}, the model needs ${use.dtype}; change the loss or the data`,
    );
  }
  return field;
}
