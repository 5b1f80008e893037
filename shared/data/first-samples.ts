import { assert } from '../errors.js';
import type { Dataset } from './dataset.js';

/**
 * A data set of the first samples of another one, without copying.
 * @param hash SHA-256 in hexadecimal
 * @throws AssertionError when the other has fewer samples
 */
export function firstSamples(
  { manifest, chunk }: Dataset,
  samples: number,
  hash: (bytes: Uint8Array) => string,
): Dataset {
  const { chunkSamples, recordBytes } = manifest;
  assert(samples > 0 && samples <= manifest.samples, `${manifest.name} has no ${samples} samples`);
  const cut = (index: number): Uint8Array =>
    chunk(index).subarray(0, Math.min(chunkSamples, samples - index * chunkSamples) * recordBytes);
  const chunkHashes = Array.from({ length: Math.ceil(samples / chunkSamples) }, (_, i) => hash(cut(i)));
  return { manifest: { ...manifest, name: `${manifest.name}-${samples}`, samples, chunkHashes }, chunk: cut };
}
