import { describe, expect, it } from 'vitest';
import { fieldValues } from '../../../shared/data/field-values.js';
import { idxImages } from '../../../shared/data/images/idx-images.js';
import { temporaryFolder } from '../../support/process.js';
import { writeFiles } from '../../support/process-data.js';
import { idxBytes } from './idx-bytes.js';

/** Two images to learn from and one to be asked about, of letters 0 to 25. */
const FILES = {
  'train-images-idx3-ubyte': idxBytes([2, 1, 3], Uint8Array.of(0, 51, 255, 1, 2, 3)),
  'train-labels-idx1-ubyte': idxBytes([2], Uint8Array.of(25, 0)),
  't10k-images-idx3-ubyte': idxBytes([1, 1, 3], Uint8Array.of(7, 8, 9)),
  't10k-labels-idx1-ubyte': idxBytes([1], Uint8Array.of(12)),
};
const read = (files = {}) => idxImages(writeFiles(temporaryFolder(), { ...FILES, ...files }));

describe('images in IDX files', () => {
  it('may be of any shape and of any number of classes', async () => {
    const { train, test, classes } = await read();
    expect(classes).toHaveLength(26);
    expect(train.manifest.fields.image).toMatchObject({ dtype: 'u8', shape: [1, 3] });
    expect([...fieldValues(train, 'label')]).toEqual([25, 0]);
    expect([...fieldValues(train, 'image').subarray(0, 3)]).toEqual([
      0,
      Math.fround(51 * Math.fround(1 / 255)),
      1,
    ]);
    expect([...fieldValues(test, 'label')]).toEqual([12]);
  });

  it('are told, with labels that cannot be learned, repeated images and black ones', async () => {
    const notes = async (files = {}) =>
      (await read(files)).notes.map((note) => note.replace(/^\S*: /, 'digits: '));
    const found = 'digits: 2 images of 1 x 3 for training, 1 for evaluation, labels 0 to';
    expect(await notes({ 'train-labels-idx1-ubyte': idxBytes([2], Uint8Array.of(1, 2)) })).toEqual([
      `${found} 12`,
      'no training image has the label 0, 3, 4, 5, 6, 7, 8, 9, 10, 11 and 1 more, so the model cannot learn it; if labels begin at 1, subtract 1',
    ]);
    const labels = {
      'train-labels-idx1-ubyte': idxBytes([2], Uint8Array.of(1, 0)),
      't10k-labels-idx1-ubyte': idxBytes([1], Uint8Array.of(1)),
    };
    expect(await notes(labels)).toEqual([`${found} 1`]);
    const images = {
      'train-images-idx3-ubyte': idxBytes([2, 1, 3], Uint8Array.of(0, 1, 0, 1, 0, 1)),
      't10k-images-idx3-ubyte': idxBytes([1, 1, 3], Uint8Array.of(1, 0, 1)),
    };
    expect(await notes({ ...labels, ...images })).toEqual([
      `${found} 1`,
      '1 of the images for evaluation are also among those for training: they measure what was memorised',
      'no value is above 31 of 255, which stands for 1: the network sees nearly black images; multiply the values to fill the range',
    ]);
  });

  it('are refused when they are inconsistent', async () => {
    const other = idxBytes([1, 2, 2], Uint8Array.of(1, 2, 3, 4));
    await expect(read({ 't10k-images-idx3-ubyte': other })).rejects.toThrow(
      /t10k-images-idx3-ubyte holds samples of 2 x 2, and \S*train-images-idx3-ubyte of 1 x 3; take both from one/,
    );
    await expect(read({ 'train-labels-idx1-ubyte': idxBytes([1], Uint8Array.of(1)) })).rejects.toThrow(
      /train-labels-idx1-ubyte holds 1 labels for 2 images/,
    );
    const nowhere = temporaryFolder();
    await expect(idxImages(nowhere)).rejects.toThrow(
      `${nowhere} has no train-images-idx3-ubyte; a folder with`,
    );
  });
});
