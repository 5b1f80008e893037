import { assert } from '../errors.js';
import type { Dataset } from './dataset.js';

/**
 * The data set of the samples with these numbers, in this order. No sample is copied; chunks are assembled when they are read.
 * @param hash SHA-256 in hexadecimal
 */
export function chosenSamples(
  dataset: Dataset,
  name: string,
  numbers: Uint32Array,
  hash: (bytes: Uint8Array) => string,
): Dataset {
  const { chunkSamples, recordBytes } = dataset.manifest;
  const chunks = Math.ceil(numbers.length / chunkSamples);
  const chunk = (index: number): Uint8Array => {
    assert(index >= 0 && index < chunks, `data set ${name} has no chunk ${index}`);
    const recordAt = recordReader(dataset);
    const part = numbers.subarray(index * chunkSamples, (index + 1) * chunkSamples);
    const bytes = new Uint8Array(part.length * recordBytes);
    for (const [i, number] of part.entries()) bytes.set(recordAt(number), i * recordBytes);
    return bytes;
  };
  const chunkHashes = Array.from({ length: chunks }, (_, i) => hash(chunk(i)));
  return { manifest: { ...dataset.manifest, name, samples: numbers.length, chunkHashes }, chunk };
}

/** Reads the bytes of samples. Reading samples in order requests each chunk once. */
export function recordReader({ manifest: { chunkSamples, recordBytes }, chunk }: Dataset) {
  let index = -1;
  let bytes = new Uint8Array();
  return (sample: number): Uint8Array => {
    if (Math.floor(sample / chunkSamples) !== index) {
      index = Math.floor(sample / chunkSamples);
      bytes = chunk(index) as Uint8Array<ArrayBuffer>;
    }
    const at = (sample % chunkSamples) * recordBytes;
    return bytes.subarray(at, at + recordBytes);
  };
}
