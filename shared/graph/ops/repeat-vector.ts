/*
 * repeatVector:  y[t] = x for t = 0 ... times - 1, along a new first axis      dx = sum over t of dy[t], in their order
 */
import * as v from 'valibot';
import { elementsOf } from '../shape.js';
import { type KernelOp, Size, WITHOUT_PARAMETERS } from './op.js';

const RepeatVectorAttributes = v.strictObject({ times: Size });
export type RepeatVectorAttributes = v.InferOutput<typeof RepeatVectorAttributes>;

export const repeatVectorOp: KernelOp<RepeatVectorAttributes> = {
  ...WITHOUT_PARAMETERS,
  attributes: RepeatVectorAttributes,
  arity: { min: 1, max: 1 },
  shape: ({ inputs: [input], attributes: { times } }) => [times, ...input],
  backwardReads: { inputs: false, output: false },
  errorTerm: 'emitted',
  forward(to, { rows, inputs: [input], attributes: { times }, x, y }) {
    to.emit('repeatRows', { a: x[0], out: y, rows, times, width: elementsOf(input) });
  },
  backward(to, { rows, inputs: [input], attributes: { times }, dy, dx }) {
    to.emit('sumRepeats', { a: dy, out: dx[0], rows, times, width: elementsOf(input) });
  },
};
