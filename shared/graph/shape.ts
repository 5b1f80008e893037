/** The shape of the tensor of ONE sample, row-major; [] for a single number. Tensors of a batch have rows of this shape. */
export type Shape = readonly number[];

/** Largest number of axes of a tensor. */
export const DIMENSIONS_MAX = 8;
/** Most elements of the tensor of one sample, and of one parameter: offsets stay exact 32-bit integers. */
export const ELEMENTS_MAX = 2 ** 28;

/** Elements of a tensor of this shape: 1 for []. */
export function elementsOf(shape: Shape): number {
  return shape.reduce((product, size) => product * size, 1);
}

/** Elements along the last axis: 1 for []. */
export function lastOf(shape: Shape): number {
  return shape.at(-1) ?? 1;
}

/** Vectors along the last axis, such as the time steps of a sequence: the product of all axes but the last. */
export function positionsOf(shape: Shape): number {
  return elementsOf(shape.slice(0, -1));
}

/** Whether two shapes are the same, axis by axis. */
export function sameShape(a: Shape, b: Shape): boolean {
  return a.length === b.length && a.every((size, axis) => size === b[axis]);
}

/** A shape as text: [28, 28]. */
export function formatShape(shape: Shape): string {
  return `[${shape.join(', ')}]`;
}
