import { UserError } from '../../errors.js';
import { sha256Hex } from '../../files/sha256.js';
import { type Dataset, packDataset } from '../dataset.js';
import { listed } from '../tables/problems.js';
import { parseIdx } from './idx.js';
import { IDX_FILES, readIdxFolder, type StoredFile } from './idx-folder.js';

/** Data sets from IDX files. */
export interface IdxImagesData {
  /** Fields: `image` (u8, with the shape in the file, scaled to 0 to 1) and `label` (u8 []). */
  readonly train: Dataset;
  readonly test: Dataset;
  /** The class numbers from 0 to the largest label, as names. */
  readonly classes: readonly string[];
  /** What was found, one line each; printed before training. */
  readonly notes: readonly string[];
}

/** Images without a larger value, of 255, look black. */
const DARK_MAX = 31;

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
  return {
    train: train.dataset,
    test: test.dataset,
    classes,
    notes: notesOf(directory, train, test, classes),
  };
}

type Packed = ReturnType<typeof packIdx>;

function notesOf(directory: string, train: Packed, test: Packed, classes: readonly string[]): string[] {
  const [images, asked] = [train.dataset.manifest.samples, test.dataset.manifest.samples];
  const known = new Set(train.labels);
  const unknown = classes.filter((_, label) => !known.has(label));
  const repeated = repeatedImages(train, test);
  return [
    `${directory}: ${images} images of ${train.shape.join(' x ')} for training, ${asked} for evaluation, labels 0 to ${classes.length - 1}`,
    ...(unknown.length === 0
      ? []
      : [
          `no training image has the label ${listed(unknown)}, so the model cannot learn it; if labels begin at 1, subtract 1`,
        ]),
    ...(repeated === 0
      ? []
      : [
          `${repeated} of the images for evaluation are also among those for training: they measure what was memorised`,
        ]),
    ...([train, test].every(({ pixels }) => pixels.every((value) => value <= DARK_MAX))
      ? [
          `no value is above ${DARK_MAX} of 255, which stands for 1: the network sees nearly black images; multiply the values to fill the range`,
        ]
      : []),
  ];
}

function repeatedImages(train: Packed, test: Packed): number {
  const known = new Set(imagesOf(train));
  let repeated = 0;
  for (const image of imagesOf(test)) if (known.has(image)) repeated += 1;
  return repeated;
}

/** The hash of each image. */
function* imagesOf({ pixels, labels }: Packed): Generator<string> {
  const size = pixels.length / labels.length;
  const bytes = Buffer.from(pixels.buffer, pixels.byteOffset, pixels.length);
  for (let at = 0; at < pixels.length; at += size) yield sha256Hex(bytes.subarray(at, at + size));
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
): {
  readonly dataset: Dataset;
  readonly shape: readonly number[];
  readonly pixels: Uint8Array;
  readonly labels: Uint8Array;
} {
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
  return {
    dataset: packDataset(name, samples, columns, sha256Hex),
    shape,
    pixels: images.bytes,
    labels: labels.bytes,
  };
}
