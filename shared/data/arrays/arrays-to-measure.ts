import { basename } from 'node:path';
import { UserError } from '../../errors.js';
import { sha256Hex } from '../../files/sha256.js';
import { type Dataset, nameAfter, packDataset } from '../dataset.js';
import type { StoredField } from '../fields-preprocessing.js';
import type { NumpyArray } from './npy.js';
import { columnsOf, readArrays } from './numpy.js';

/** Whether a file holds arrays of NumPy, by its name. */
export function isNumpy(path: string): boolean {
  return /\.np[yz]$/i.test(path);
}

/**
 * Samples for a trained model out of the arrays of a `.npz` archive, or of one `.npy` file. An array that is called x_test, or else
 * x_train, stands for x, as when the model was trained; a single array is the single field, whatever it is called. Other arrays are
 * left out.
 * @param fields that are needed, by name, as the model has stored them
 * @returns the samples in the order of the file, and what was left out
 * @throws UserError that names the array and the remedy
 */
export async function arraysToMeasure(
  path: string,
  fields: Readonly<Record<string, StoredField>>,
): Promise<{ readonly test: Dataset; readonly notes: readonly string[] }> {
  const arrays = await readArrays(path);
  const names = Object.keys(fields);
  const side = ['_test', '', '_train'].find((end) => names.every((name) => arrays.has(`${name}${end}`)));
  const isSingle = names.length === 1 && arrays.size === 1;
  if (side === undefined && !isSingle) {
    const missing = names.find((name) => !arrays.has(name));
    throw new UserError(
      `${path} has no array ${missing}; its arrays are ${[...arrays.keys()].join(', ')}: save those that the model takes, as with ` +
        `numpy.savez(file, ${names.map((name) => `${name}=...`).join(', ')})`,
    );
  }
  const arrayOf = (name: string): string =>
    side === undefined ? ([...arrays.keys()][0] as string) : `${name}${side}`;
  const needed = new Map(names.map((name) => [name, arrays.get(arrayOf(name)) as NumpyArray]));
  const bytes = Object.fromEntries(
    Object.entries(fields).flatMap(([name, { dtype, scale, shift }]) =>
      dtype === 'u8' ? [[name, { scale, shift }]] : [],
    ),
  );
  const { samples, columns } = columnsOf(path, needed, { bytes });
  const read = names.map(arrayOf);
  const others = [...arrays.keys()].filter((name) => !read.includes(name));
  return {
    test: packDataset(
      nameAfter(basename(path).replace(/\.np[yz]$/i, ''), 'arrays'),
      samples,
      columns,
      sha256Hex,
    ),
    notes: others.length === 0 ? [] : [`${path}: ${read.join(', ')} are read; not ${others.join(', ')}`],
  };
}
