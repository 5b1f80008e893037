import type { RecipeData } from '../../coordinator/recipe.js';
import { SeededRandom } from '../../shared/actor/seeded-random.js';
import { type Dataset, packDataset } from '../../shared/data/dataset.js';
import { fieldElements } from '../../shared/data/manifest.js';
import { sha256Hex } from '../../shared/files/sha256.js';

/** A field of bytes, drawn from 0 to `values` - 1; the network sees byte * scale. */
export interface SyntheticField {
  readonly shape: readonly number[];
  readonly values: number;
  /** Default: 1. */
  readonly scale?: number;
}

/** Samples to learn from: 512 steps of 32, and too many for a processor's cache, as in life. */
const TRAIN_SAMPLES = 16384;
/** Samples to be tested on; a run's evaluations take no time to speak of. */
const TEST_SAMPLES = 64;

/** Data of a given form and no meaning, always the same: only its size matters to the time of a step. */
export function syntheticData(name: string, fields: Readonly<Record<string, SyntheticField>>): RecipeData {
  return {
    train: draw(`${name}-train`, TRAIN_SAMPLES, fields),
    test: draw(`${name}-test`, TEST_SAMPLES, fields),
  };
}

function draw(name: string, samples: number, fields: Readonly<Record<string, SyntheticField>>): Dataset {
  const random = new SeededRandom(samples);
  const columns = Object.entries(fields).map(([field, { shape, values, scale = 1 }]) => {
    const bytes = new Uint8Array(samples * fieldElements({ shape }));
    for (let i = 0; i < bytes.length; i++) bytes[i] = random.below(values);
    return [field, { dtype: 'u8', shape, bytes, scale: Math.fround(scale), shift: 0 }] as const;
  });
  return packDataset(name, samples, Object.fromEntries(columns), sha256Hex);
}
