import { UserError } from '../errors.js';
import { sha256Hex } from '../files/sha256.js';
import { checkOptionNames } from '../nearest.js';
import { type Dataset, packDataset } from './dataset.js';
import { FIELD_NAME, FIELD_NAME_RULE } from './manifest.js';

/** One field of all samples. */
export interface FieldValues {
  /** Shape of one sample's field; [] for a single number. */
  readonly shape: readonly number[];
  /** Element type; class numbers are i32. Default: f32. */
  readonly dtype?: 'f32' | 'i32';
  /** The numbers of each sample: a list, or a number where the shape is []. */
  readonly values: readonly (number | ArrayLike<number>)[];
}

const FIELD_OPTIONS: readonly (keyof FieldValues)[] = ['shape', 'dtype', 'values'];

/**
 * Packs arrays of numbers as a data set.
 * @param name letters, digits, _, . and -
 * @param fields by name: the inputs of a model and the target of its loss
 * @throws UserError for other characters in the name, an unknown option, fields of different numbers of samples, a sample that
 *   does not match its shape, or an i32 that is not a 32-bit integer
 */
export function packSamples(name: string, fields: Readonly<Record<string, FieldValues>>): Dataset {
  if (!/^[\w.-]+$/.test(name))
    throw new UserError(
      `${JSON.stringify(name)} is not a valid name of a data set; use letters, digits, _, . and -`,
    );
  const entries = Object.entries(fields);
  const samples = entries[0]?.[1]?.values?.length ?? 0;
  if (samples === 0) throw new UserError(`data set ${name} has no samples; give it some`);
  const columns = entries.map(([field, options]) => {
    // Refused here, because a worker would refuse it when it joins.
    if (!FIELD_NAME.test(field))
      throw new UserError(
        `data set ${name}: ${JSON.stringify(field)} is no name of a field, which is ${FIELD_NAME_RULE}; rename it`,
      );
    checkOptionNames(`data set ${name}: ${field}`, options, FIELD_OPTIONS);
    const { shape, values, dtype = 'f32' } = options;
    const what = `data set ${name}: ${field}`;
    if (!Array.isArray(shape) || !shape.every((extent) => Number.isSafeInteger(extent) && extent > 0))
      throw new UserError(
        `${what} has the shape ${JSON.stringify(shape)}; give a list of extents, such as [28, 28], or []`,
      );
    if (dtype !== 'f32' && dtype !== 'i32')
      throw new UserError(
        `${what} has the dtype ${JSON.stringify(dtype)}; use 'f32', or 'i32' for class numbers`,
      );
    if (values.length !== samples)
      throw new UserError(
        `data set ${name}: ${field} has ${values.length} samples, but ${entries[0]?.[0]} has ${samples}`,
      );
    const size = shape.reduce((product, extent) => product * extent, 1);
    const all = dtype === 'i32' ? new Int32Array(samples * size) : new Float32Array(samples * size);
    values.forEach((value, i) => {
      const numbers = typeof value === 'number' ? [value] : value;
      if (Array.isArray(numbers) && numbers.some((row: unknown) => Array.isArray(row)))
        throw new UserError(
          `data set ${name}: ${field} of sample ${i} is a list of lists; give its numbers one after the other, as value.flat(Infinity) does`,
        );
      if (!areNumbers(numbers as ArrayLike<unknown>))
        throw new UserError(
          `data set ${name}: ${field} of sample ${i} is not made of numbers; convert it, such as with Number(value)`,
        );
      if (numbers.length !== size)
        throw new UserError(
          `data set ${name}: ${field} of sample ${i} has ${numbers.length} numbers, but its shape [${shape.join(', ')}] has ${size}`,
        );
      if (dtype === 'i32' && !Array.prototype.every.call(numbers, Number.isSafeInteger))
        throw new UserError(
          `data set ${name}: ${field} of sample ${i} is not a whole number; use dtype: 'f32'`,
        );
      if (dtype === 'i32' && !Array.prototype.every.call(numbers, (x: number) => x === (x | 0)))
        throw new UserError(
          `data set ${name}: ${field} of sample ${i} is outside the range of i32, -2147483648 to 2147483647; use smaller numbers, or f32`,
        );
      all.set(numbers, i * size);
    });
    return [field, { dtype, shape, bytes: new Uint8Array(all.buffer), scale: 1, shift: 0 }] as const;
  });
  return packDataset(name, samples, Object.fromEntries(columns), sha256Hex);
}

/** Whether a sample is a list of numbers. Anything else would become NaN, or a number that was not meant, silently. */
function areNumbers(values: ArrayLike<unknown> | null | undefined): boolean {
  if (typeof values !== 'object' || values === null || !('length' in values)) return false;
  if (ArrayBuffer.isView(values)) return typeof values[0] === 'number' || values.length === 0;
  for (let i = 0; i < values.length; i++) if (typeof values[i] !== 'number') return false;
  return true;
}
