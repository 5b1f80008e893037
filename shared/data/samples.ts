import { UserError } from '../errors.js';
import { sha256Hex } from '../files/sha256.js';
import { type Dataset, packDataset } from './dataset.js';

/** One field of all samples. */
export interface FieldValues {
  /** Shape of one sample's field; [] for a single number. */
  readonly shape: readonly number[];
  /** What the numbers become; class numbers are i32. Default: f32. */
  readonly dtype?: 'f32' | 'i32';
  /** The numbers of each sample: a list, or a number where the shape is []. */
  readonly values: readonly (number | ArrayLike<number>)[];
}

/**
 * A data set out of arrays of numbers, for a recipe of one's own.
 * @param name for people: letters, digits, _, . and -
 * @param fields by name: a model's inputs and the target of its loss
 * @throws UserError when the name has other characters, a field has another number of samples than the others, a sample
 *   another size than its shape, or an i32 is no whole number
 */
export function packSamples(name: string, fields: Readonly<Record<string, FieldValues>>): Dataset {
  if (!/^[\w.-]+$/.test(name))
    throw new UserError(
      `${JSON.stringify(name)} cannot name a data set; use letters, digits, _, . and - only`,
    );
  const entries = Object.entries(fields);
  const samples = entries[0]?.[1].values.length ?? 0;
  if (samples === 0) throw new UserError(`data set ${name} has no samples; give it some`);
  const columns = entries.map(([field, { shape, values, dtype = 'f32' }]) => {
    if (values.length !== samples)
      throw new UserError(
        `data set ${name}: ${field} has ${values.length} samples, but ${entries[0]?.[0]} has ${samples}`,
      );
    const size = shape.reduce((product, extent) => product * extent, 1);
    const all = dtype === 'i32' ? new Int32Array(samples * size) : new Float32Array(samples * size);
    values.forEach((value, i) => {
      const numbers = typeof value === 'number' ? [value] : value;
      if (numbers.length !== size)
        throw new UserError(
          `data set ${name}: ${field} of sample ${i} has ${numbers.length} numbers, and its shape [${shape.join(', ')}] takes ${size}`,
        );
      if (dtype === 'i32' && !Array.prototype.every.call(numbers, Number.isSafeInteger))
        throw new UserError(`data set ${name}: ${field} of sample ${i} is no whole number, as i32 must be`);
      all.set(numbers, i * size);
    });
    return [field, { dtype, shape, bytes: new Uint8Array(all.buffer), scale: 1, shift: 0 }] as const;
  });
  return packDataset(name, samples, Object.fromEntries(columns), sha256Hex);
}
