type Numbers = Float32Array | Uint8Array | Uint32Array;

/**
 * Numbers of several arrays one after the other, in a new array.
 * @param make the kind of array, such as Float32Array
 */
export function concatenated<T extends Numbers>(make: new (length: number) => T, parts: readonly T[]): T {
  const all = new make(parts.reduce((sum, { length }) => sum + length, 0));
  let at = 0;
  for (const part of parts) {
    all.set(part, at);
    at += part.length;
  }
  return all;
}
