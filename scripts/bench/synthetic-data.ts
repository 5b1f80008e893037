import { SeededRandom } from '../../shared/actor/seeded-random.js';
import { type Dataset, packDataset } from '../../shared/data/dataset.js';
import { fieldElements } from '../../shared/data/manifest.js';
import { sha256Hex } from '../../shared/files/sha256.js';
import type { RecipeData } from '../../trainer/recipe.js';

/** A field of random bytes from 0 to `values` - 1; the network reads byte * scale. */
export interface SyntheticField {
  readonly shape: readonly number[];
  readonly values: number;
  /** Default: 1. */
  readonly scale?: number;
}

/** Training samples: 512 steps of 32, and more than a processor's cache holds, as with real data. */
const TRAIN_SAMPLES = 16384;
/** Test samples; so few that evaluations take almost no time. */
const TEST_SAMPLES = 64;

/** Random data of a given form, always the same: only its size matters to the time of a step. */
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
