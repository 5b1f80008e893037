import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { fieldValues } from '../../../shared/data/field-values.js';
import type { FieldsPreprocessing } from '../../../shared/data/fields-preprocessing.js';
import { fieldsToMeasure, openArrays } from '../../../shared/data/fields-to-measure.js';
import type { Tensor } from '../../../shared/files/tensors.js';
import { encodeNpz } from '../../../trainer/formats/npz.js';
import { temporaryFolder } from '../../support/process.js';

const tensor = (name: string, shape: readonly number[], values: readonly number[]): Tensor => ({
  ...{ name, shape },
  values: Float32Array.from(values),
});

function saved(...tensors: readonly Tensor[]): string {
  const path = join(temporaryFolder(), 'new.npz');
  writeFileSync(path, encodeNpz(tensors));
  return path;
}

/** A model of rows of two numbers and a price. */
const fitted: FieldsPreprocessing = {
  ...{ kind: 'fields', version: 1, classes: [], isReadByRecipe: false },
  inputs: { x: { dtype: 'f32', shape: [2], scale: 1, shift: 0 } },
  target: { name: 'price', dtype: 'f32', shape: [1], scale: 1, shift: 0 },
};
const x = [1, 2, 3, 4, 5, 6];

it('arrays of NumPy are measured in the order of the file, and the inputs alone predict', async () => {
  const price = tensor('price', [3, 1], [7, 8, 9]);
  const path = saved(tensor('x', [3, 2], x), price, tensor('other', [1], [0]));
  const { test, notes } = await fieldsToMeasure(path, fitted);
  expect([...fieldValues(test, 'x')]).toEqual(x);
  expect([...fieldValues(test, 'price')]).toEqual([7, 8, 9]);
  expect(notes).toEqual([`${path}: x, price are read; not other`]);
  // A single array is the input, whatever it is called.
  const alone = await openArrays(saved(tensor('signal', [3, 2], x)), fitted.inputs);
  expect([...fieldValues(alone.test, 'x')]).toEqual(x);
  expect(alone.notes).toEqual([]);
});

it('where training and test data are in one file, the test data are measured', async () => {
  const path = saved(
    ...[tensor('x_train', [1, 2], [0, 0]), tensor('price_train', [1, 1], [0])],
    ...[tensor('x_test', [3, 2], x), tensor('price_test', [3, 1], [7, 8, 9])],
  );
  const { test, notes } = await fieldsToMeasure(path, fitted);
  expect([...fieldValues(test, 'x')]).toEqual(x);
  expect(notes.join()).toContain('x_test, price_test are read; not price_train, x_train');
});

it('arrays that the model does not take are refused by name', async () => {
  await expect(
    fieldsToMeasure(saved(tensor('x', [3, 2], x), tensor('y', [3], [7, 8, 9])), fitted),
  ).rejects.toThrow(
    /has no array price; its arrays are x, y: save those that the model takes, as with numpy\.savez\(file, x=\.\.\., price=\.\.\.\)$/,
  );
  await expect(openArrays(saved(tensor('x', [2, 3], x)), fitted.inputs)).rejects.toThrow(
    /x is f32 \[3\], scale 1, shift 0, and was f32 \[2\], scale 1, shift 0 in training; write it in the same form$/,
  );
});
