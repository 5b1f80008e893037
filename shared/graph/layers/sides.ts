/** A number each for the height and the width, or one for both. */
export type Sides = number | readonly [number, number];

/** Both numbers, for a model. */
export function pairOf(sides: Sides): [number, number] {
  return typeof sides === 'number' ? [sides, sides] : [...sides];
}
