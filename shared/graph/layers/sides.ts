/** A number for the height and one for the width, or one for both. */
export type Sides = number | readonly [number, number];

/** Both numbers, as they stand in a model. */
export function pairOf(sides: Sides): [number, number] {
  return typeof sides === 'number' ? [sides, sides] : [...sides];
}
