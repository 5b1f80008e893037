import { assert } from '../errors.js';
import type { Dataset } from './dataset.js';
import { ELEMENT_BYTES, fieldElements } from './manifest.js';

/**
 * One field of samples as a network sees it, sample after sample: what a Predictor takes.
 * @param name of the field; it must be there
 * @param range the samples; left out: all
 */
export function fieldValues(
  { manifest, chunk }: Dataset,
  name: string,
  { from, to }: { readonly from: number; readonly to: number } = { from: 0, to: manifest.samples },
): Float32Array {
  const field = manifest.fields[name];
  assert(field !== undefined, `data set ${manifest.name} has no field ${name}`);
  const { chunkSamples, recordBytes } = manifest;
  const elements = fieldElements(field);
  const values = new Float32Array((to - from) * elements);
  for (let sample = from; sample < to; sample++) {
    const bytes = chunk(Math.floor(sample / chunkSamples));
    const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    const at = (sample % chunkSamples) * recordBytes + field.offset;
    for (let i = 0; i < elements; i++) {
      const place = at + i * ELEMENT_BYTES[field.dtype];
      // A byte times a float32 is exact in float64.
      values[(sample - from) * elements + i] =
        field.dtype === 'u8'
          ? view.getUint8(place) * field.scale + field.shift
          : field.dtype === 'i32'
            ? view.getInt32(place, true)
            : view.getFloat32(place, true);
    }
  }
  return values;
}
