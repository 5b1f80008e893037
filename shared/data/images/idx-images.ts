import { UserError } from '../../errors.js';
import { sha256Hex } from '../../files/sha256.js';
import { type Dataset, packDataset } from '../dataset.js';
import { parseIdx } from './idx.js';
import { IDX_FILES, readIdxFolder, type StoredFile } from './idx-folder.js';

/** Data sets from IDX files. */
export interface IdxImagesData {
  /** Fields: `image` (u8, with the shape in the file, scaled to 0 to 1) and `label` (u8 []). */
  readonly train: Dataset;
  readonly test: Dataset;
  /** The class numbers from 0 to the largest label, as names. */
  readonly classes: readonly string[];
}

/**
 * Reads a folder with four IDX files, plain or gzipped, with MNIST's file names; images of any shape, any number of classes.
 * EMNIST, KMNIST and others are distributed in this format.
 * @throws UserError that names the file and the remedy
 */
export async function idxImages(directory: string): Promise<IdxImagesData> {
  const folder = await readIdxFolder(directory, `a folder with ${IDX_FILES.join(', ')} is needed`);
  const trainFile = folder['train-images-idx3-ubyte'];
  const testFile = folder['t10k-images-idx3-ubyte'];
  const train = packIdx('idx-train', trainFile, folder['train-labels-idx1-ubyte']);
  const test = packIdx('idx-test', testFile, folder['t10k-labels-idx1-ubyte']);
  const [one, other] = [train.shape.join(' x '), test.shape.join(' x ')];
  if (one !== other)
    throw new UserError(
      `${testFile.path} holds samples of ${other}, and ${trainFile.path} of ${one}; take both from one data set`,
    );
  const largest = [...train.labels, ...test.labels].reduce((most, label) => Math.max(most, label), 0);
  const classes = Array.from({ length: largest + 1 }, (_, label) => String(label));
  return { train: train.dataset, test: test.dataset, classes };
}

/**
 * Packs images and labels from two IDX files.
 * @param checkShape throws when the image shape is not supported
 * @throws UserError when the numbers of images and labels differ
 */
export function packIdx(
  name: string,
  imageFile: StoredFile,
  labelFile: StoredFile,
  checkShape: (shape: readonly number[]) => void = () => {},
): { readonly dataset: Dataset; readonly shape: readonly number[]; readonly labels: Uint8Array } {
  const images = parseIdx(imageFile.bytes, imageFile.path);
  const labels = parseIdx(labelFile.bytes, labelFile.path);
  const [samples = 0, ...shape] = images.dimensions;
  checkShape(shape);
  if (labels.dimensions.length !== 1 || labels.dimensions[0] !== samples) {
    const found = labels.dimensions.join(' x ');
    throw new UserError(
      `${labelFile.path} holds ${found} labels for ${samples} images; take both from one data set`,
    );
  }
  const columns = {
    image: { dtype: 'u8', shape, bytes: images.bytes, scale: Math.fround(1 / 255), shift: 0 },
    label: { dtype: 'u8', shape: [], bytes: labels.bytes, scale: 1, shift: 0 },
  } as const;
  return { dataset: packDataset(name, samples, columns, sha256Hex), shape, labels: labels.bytes };
}
