import { chosenSamples, recordReader } from './chosen-samples.js';
import type { Dataset } from './dataset.js';
import { heldOutOf } from './held-out.js';

/** Training samples, and those that are set aside to choose settings with. */
export interface ValidationSplit {
  readonly train: Dataset;
  readonly validation: Dataset;
}

/**
 * Sets a share of samples aside. Each sample is decided by a hash of its content, so that equal samples are on the same side,
 * and the split depends on the data alone. No sample is copied; chunks are assembled when they are read.
 * @param share approximate share of the samples, above 0 and below 1
 * @param hash SHA-256 in hexadecimal
 * @throws UserError when all samples are equal, or the share is out of bounds
 */
export function splitValidation(
  dataset: Dataset,
  share: number,
  hash: (bytes: Uint8Array) => string,
): ValidationSplit {
  const { name, samples } = dataset.manifest;
  const recordAt = recordReader(dataset);
  const { sides } = heldOutOf(name, samples, recordAt, { share });
  const numbers = (side: number): Uint32Array =>
    Uint32Array.from({ length: samples }, (_, i) => i).filter((i) => sides[i] === side);
  return {
    train: chosenSamples(dataset, `${name}-train`, numbers(0), hash),
    validation: chosenSamples(dataset, `${name}-validation`, numbers(1), hash),
  };
}
