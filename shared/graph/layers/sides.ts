/** A number each for the height and the width, or one for both. */
export type Sides = number | readonly [number, number];

/** A number each for the depth, the height and the width, or one for all. */
export type Sides3d = number | readonly [number, number, number];

/** All three numbers, for a model. */
export function tripleOf(sides: Sides3d): [number, number, number] {
  return typeof sides === 'number' ? [sides, sides, sides] : [...sides];
}

/** Both numbers, for a model. */
export function pairOf(sides: Sides): [number, number] {
  return typeof sides === 'number' ? [sides, sides] : [...sides];
}
