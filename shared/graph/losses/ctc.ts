/*
 * Connectionist temporal classification: the loss of a network that says a sequence without being told when.
 *
 *     l = -ln (sum over all ways pi to say the labels of prod_t y_t(pi_t))      y = softmax(z), class 0: blank
 *     dz_t(k) = (y_t(k) - (the part of that sum which is at k at step t)) * scale
 *
 * A way says the labels when they are left after equal neighbours are merged and blanks removed.
 *
 * Graves, Fernandez, Gomez, Schmidhuber: "Connectionist temporal classification: labelling unsegmented sequence data
 * with recurrent neural networks" (2006).
 */
import * as v from 'valibot';
import { UserError } from '../../errors.js';
import { WORKSPACE_BYTES } from '../../kernels/memory-map.js';
import { elementsOf, formatShape, type Shape } from '../shape.js';
import type { Loss, LossSettings } from './loss.js';

const CtcAttributes = v.strictObject({ length: v.pipe(v.number(), v.safeInteger(), v.minValue(1)) });
export type CtcAttributes = v.InferOutput<typeof CtcAttributes>;

/**
 * Connectionist temporal classification of logits [steps, classes], of which class 0 is the blank. A sample whose
 * labels do not fit into the steps has loss 0 and teaches nothing.
 *
 * @param options.target the field of the data that holds the labels, [length]: classes from 1 on, padded with 0
 * @param options.length most labels of a sample
 */
export function ctc({ target, length }: { target: string; length: number }): LossSettings {
  return { kind: 'ctc', target, attributes: { length } };
}

export const ctcLoss: Loss<CtcAttributes> = {
  attributes: CtcAttributes,
  metrics: () => ['loss'],
  target(shape, { length }) {
    const [steps = 0, classes = 0] = shape;
    const found = `an output of shape ${formatShape(shape)}`;
    if (shape.length !== 2 || classes < 2)
      throw new UserError(
        `ctc needs logits [steps, classes] with the blank among them, not ${found}; end the model with a dense layer`,
      );
    // As many as c/ctc.c keeps.
    const doubles = steps * (2 * length + 2) + 2 * length + 1;
    if (doubles * 8 > WORKSPACE_BYTES)
      throw new UserError(`ctc of ${length} labels and ${found} needs too much memory; take fewer steps`);
    return { dtype: 'i32', shape: [length] };
  },
  terms: () => 1,
  saved: elementsOf,
  forward(to, { rows, shape, attributes, prediction, target, saved, metrics }) {
    const [loss] = metrics as [number];
    const [steps, cols] = shape as readonly [number, number] & Shape;
    const tensors = { logits: prediction, labels: target, errors: saved, loss };
    to.emit('ctcForward', { ...tensors, rows, steps, cols, length: attributes.length });
  },
  backward(to, { rows, shape, saved, dPrediction, scale }) {
    to.emit('scaleVector', { a: saved, out: dPrediction, n: rows * elementsOf(shape), factor: scale });
  },
};
