import { describe, expect, it } from 'vitest';
import { fieldValues } from '../../shared/data/field-values.js';
import type { FieldsPreprocessing } from '../../shared/data/fields-preprocessing.js';
import { openIdx } from '../../shared/data/fields-to-measure.js';
import { temporaryFolder } from '../support/process.js';
import { writeFiles } from '../support/process-data.js';
import { idxBytes } from './images/idx-bytes.js';

const folder = () =>
  writeFiles(temporaryFolder(), {
    't10k-images-idx3-ubyte': idxBytes([2, 1, 2], Uint8Array.of(0, 255, 51, 102)),
    't10k-labels-idx1-ubyte': idxBytes([2], Uint8Array.of(1, 0)),
  });

/** A model of one image of two pixels. */
const fitted = (input: Partial<FieldsPreprocessing['target']>): FieldsPreprocessing => ({
  kind: 'fields',
  version: 1,
  inputs: { pixels: { dtype: 'u8', shape: [2], scale: 1, shift: 0, ...input } },
  target: { name: 'digit', dtype: 'i32', shape: [], scale: 1, shift: 0 },
  classes: [],
  isReadByRecipe: false,
});

describe('IDX files for a trained model', () => {
  it.each([
    [1, 0, [0, 255, 51, 102]],
    [2 / 255, -1, [-1, 1, -0.6, -0.2]],
  ])('are scaled as in training, by %f and %f', async (scale, shift, wanted) => {
    const found = await openIdx(folder(), fitted({ scale: Math.fround(scale), shift }));
    const values = [...fieldValues(found!.test, 'pixels')];
    for (const [i, value] of wanted.entries()) expect(values[i]).toBeCloseTo(value, 5);
    expect([...fieldValues(found!.test, 'digit')]).toEqual([1, 0]);
  });

  it('are refused when a recipe made numbers of bytes', async () => {
    await expect(openIdx(folder(), fitted({ dtype: 'f32' }))).rejects.toThrow(
      /t10k-images-idx3-ubyte holds images of bytes, and the model takes pixels as f32, which its recipe made of them; give pixels in a folder with a dataset\.json/,
    );
    await expect(openIdx(folder(), fitted({ shape: [3] }))).rejects.toThrow(
      /has samples of 1 x 2, and the model takes 3; give data of that size$/,
    );
  });
});
