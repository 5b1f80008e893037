import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { SeededRandom } from '../../shared/actor/seeded-random.js';
import type { IdxFileName } from '../../shared/data/images/idx-folder.js';
import { idxBytes } from '../data/images/idx-bytes.js';

const TRAIN_SAMPLES = 500;
const TEST_SAMPLES = 40;
const PIXELS = 28 * 28;

/** Files of a small random data set in MNIST's format; the same for the same seed. */
export function smallData(seed = 1): Record<IdxFileName, Uint8Array> {
  const random = new SeededRandom(seed);
  const images = (samples: number): Uint8Array =>
    idxBytes(
      [samples, 28, 28],
      Uint8Array.from({ length: samples * PIXELS }, () => random.below(256)),
    );
  const labels = (samples: number): Uint8Array =>
    idxBytes(
      [samples],
      Uint8Array.from({ length: samples }, () => random.below(10)),
    );
  return {
    'train-images-idx3-ubyte': images(TRAIN_SAMPLES),
    'train-labels-idx1-ubyte': labels(TRAIN_SAMPLES),
    't10k-images-idx3-ubyte': images(TEST_SAMPLES),
    't10k-labels-idx1-ubyte': labels(TEST_SAMPLES),
  };
}

/** Creates a folder and writes files into it. Returns the folder. */
export function writeFiles(folder: string, files: Readonly<Record<string, Uint8Array | string>>): string {
  mkdirSync(folder, { recursive: true });
  for (const [name, content] of Object.entries(files)) writeFileSync(join(folder, name), content);
  return folder;
}
