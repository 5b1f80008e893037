/*
 * From the data's records to row tensors.
 */
import { UserError } from '../errors.js';
import type { DataPlacement, FieldPlacement, RowsJob } from './job.js';
import type { KernelSink } from './ops/op.js';
import { elementsOf, formatShape, type Shape, sameShape } from './shape.js';

/** A field of the data that a model uses, as it wants to see it. */
export interface FieldUse {
  readonly name: string;
  /** Shape in one sample. */
  readonly shape: Shape;
  readonly dtype: 'f32' | 'i32';
}

/**
 * Checks that data has what a model uses.
 * @param fields the data's own description of its fields
 * @throws UserError that names the field and both shapes or types
 */
export function checkFields(
  uses: readonly FieldUse[],
  fields: Readonly<Record<string, Pick<FieldPlacement, 'dtype' | 'shape'>>>,
): void {
  for (const use of uses) fieldOf(use, fields);
}

/** Writes the call that gathers a field of the job's samples into a row tensor at `out`. */
export function emitGather(to: KernelSink, use: FieldUse, { rows, first, data }: RowsJob, out: number): void {
  const field = fieldOf(use, data.fields);
  const { chunkTable, cursor, chunkSamples, recordBytes } = data satisfies DataPlacement;
  const place = { out, chunkTable, cursor, first, rows, elements: elementsOf(use.shape) };
  const record = { chunkSamples, recordBytes, fieldOffset: field.offset };
  if (field.dtype !== 'u8') to.emit('gatherWords', { ...place, ...record });
  else if (use.dtype === 'i32') to.emit('gatherU8AsI32', { ...place, ...record });
  else to.emit('gatherU8', { ...place, ...record, scale: field.scale, shift: field.shift });
}

function fieldOf<F extends Pick<FieldPlacement, 'dtype' | 'shape'>>(
  use: FieldUse,
  fields: Readonly<Record<string, F>>,
): F {
  const field = Object.hasOwn(fields, use.name) ? fields[use.name] : undefined;
  if (field === undefined) {
    const names = Object.keys(fields).join(', ');
    throw new UserError(`the model uses the field ${use.name}, and the data has ${names}; name one of these`);
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
