import { assert } from '../errors.js';
import type { Dataset } from './dataset.js';
import { ELEMENT_BYTES, fieldElements } from './manifest.js';

/**
 * The values of a field as a network sees them, in sample order, as a Predictor takes them.
 * @param name name of an existing field
 * @param range range of samples; default: all
 */
export function fieldValues(
  dataset: Dataset,
  name: string,
  { from, to }: { readonly from: number; readonly to: number } = { from: 0, to: dataset.manifest.samples },
): Float32Array {
  const { elements, valueAt } = readerOf(dataset, name);
  const values = new Float32Array((to - from) * elements);
  for (let sample = from; sample < to; sample++) {
    const at = valueAt(sample);
    for (let i = 0; i < elements; i++) values[(sample - from) * elements + i] = at(i);
  }
  return values;
}

/** The first sample with a wrong value in a field, and the value; undefined if there is none. */
export function firstWrong(
  dataset: Dataset,
  name: string,
  isWrong: (value: number) => boolean,
): { readonly sample: number; readonly value: number } | undefined {
  const { elements, valueAt } = readerOf(dataset, name);
  for (let sample = 0; sample < dataset.manifest.samples; sample++) {
    const at = valueAt(sample);
    for (let i = 0; i < elements; i++) if (isWrong(at(i))) return { sample, value: at(i) };
  }
  return undefined;
}

/** Returns a reader for the elements of a field. Reading samples in order requests each chunk once. */
function readerOf({ manifest, chunk }: Dataset, name: string) {
  const field = manifest.fields[name];
  assert(field !== undefined, `data set ${manifest.name} has no field ${name}`);
  const { chunkSamples, recordBytes } = manifest;
  const { dtype, scale, shift, offset } = field;
  const size = ELEMENT_BYTES[dtype];
  let index = -1;
  let view: DataView = new DataView(new ArrayBuffer(0));
  const valueAt = (sample: number): ((i: number) => number) => {
    if (Math.floor(sample / chunkSamples) !== index) {
      index = Math.floor(sample / chunkSamples);
      const bytes = chunk(index);
      view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    }
    const at = (sample % chunkSamples) * recordBytes + offset;
    // A byte times a float32 is exact in float64.
    if (dtype === 'u8') return (i) => view.getUint8(at + i) * scale + shift;
    if (dtype === 'i32') return (i) => view.getInt32(at + i * size, true);
    return (i) => view.getFloat32(at + i * size, true);
  };
  return { elements: fieldElements(field), valueAt };
}
