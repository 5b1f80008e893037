import type { Model } from '../shared/graph/model.js';
import { elementsOf, type Shape } from '../shared/graph/shape.js';

/** One of several outputs of a model. */
export interface OutputPart {
  readonly name: string;
  readonly shape: Shape;
  /** The first of its elements in a row of all outputs. */
  readonly from: number;
  /** The elements of a row of all outputs. */
  readonly width: number;
}

/** Where the outputs of a model with several lie; undefined for a model with one. */
export function outputParts({ outputs }: Pick<Model, 'outputs'>): OutputPart[] | undefined {
  if (outputs === undefined) return undefined;
  const width = outputs.reduce((sum, { shape }) => sum + elementsOf(shape), 0);
  let next = 0;
  return outputs.map(({ name, shape }) => {
    const from = next;
    next += elementsOf(shape);
    return { name, shape, from, width };
  });
}

/** The elements of one output, row by row. @param all rows * width */
export function columnsOf(all: Float32Array, rows: number, { shape, from, width }: OutputPart): Float32Array {
  const elements = elementsOf(shape);
  const own = new Float32Array(rows * elements);
  for (let row = 0; row < rows; row++)
    own.set(all.subarray(row * width + from, row * width + from + elements), row * elements);
  return own;
}
