import { readFileSync } from 'node:fs';

/** A tensor of a golden file. */
export interface GoldenTensor {
  readonly shape: readonly number[];
  readonly values: readonly number[];
}

export type GoldenTensors = Readonly<Record<string, GoldenTensor>>;

/** The results of PyTorch for one small model (scripts/dev/golden/generate.py). */
export interface Golden {
  readonly comment: string;
  /** x and y of one batch. */
  readonly data: GoldenTensors;
  /** Weights before the first step. */
  readonly weights: GoldenTensors;
  /** Gradients of the first step. */
  readonly gradients: GoldenTensors;
  /** The mean loss before each step. */
  readonly losses: readonly number[];
  readonly finalWeights: GoldenTensors;
}

/** Reads test/golden/<name>.json. */
export function readGolden(name: string): Golden {
  return JSON.parse(readFileSync(new URL(`./${name}.json`, import.meta.url), 'utf8')) as Golden;
}
