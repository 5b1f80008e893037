/*
 * Connectionist temporal classification: the loss of a network that outputs a sequence of labels without known times.
 *
 *     l = -ln (sum over all alignments pi of the labels of prod_t y_t(pi_t))      y = softmax(z), class 0: blank
 *     dz_t(k) = (y_t(k) - (the share of that sum with pi_t = k)) * scale
 *
 * An alignment is a class for each step that gives the labels when equal neighbours are merged and blanks are removed.
 *
 * Graves, Fernandez, Gomez, Schmidhuber: "Connectionist temporal classification: labelling unsegmented sequence data
 * with recurrent neural networks" (2006).
 */

import * as v from 'valibot';
import { UserError } from '../../errors.js';
import { WORKSPACE_BYTES } from '../../kernels/memory-map.js';
import { checkOptionNames } from '../../nearest.js';
import { elementsOf, formatShape, type Shape } from '../shape.js';
import type { Loss, LossSettings } from './loss.js';
import { type SampleWeightOptions, weightsOf } from './weights.js';

const CtcAttributes = v.strictObject({ length: v.pipe(v.number(), v.safeInteger(), v.minValue(1)) });
export type CtcAttributes = v.InferOutput<typeof CtcAttributes>;

/**
 * Connectionist temporal classification of logits [steps, classes], where class 0 is the blank. A sample whose labels do not
 * fit into the steps has loss 0 and gradient 0.
 *
 * @param options.target the field of the data that holds the labels, [length]: classes from 1 on, padded with 0
 * @param options.sampleWeight the field with a weight for each sample; see weights.ts
 * @param options.length largest number of labels of a sample
 */
export function ctc(options: { target: string; length: number } & SampleWeightOptions): LossSettings {
  checkOptionNames('ctc()', options, ['target', 'length', 'sampleWeight']);
  const { target, length } = options;
  return { kind: 'ctc', target, attributes: { length }, ...weightsOf(options) };
}

export const ctcLoss: Loss<CtcAttributes> = {
  attributes: CtcAttributes,
  metrics: () => ['loss'],
  target(shape, { length }) {
    const [steps = 0, classes = 0] = shape;
    const found = `an output of shape ${formatShape(shape)}`;
    if (shape.length !== 2 || classes < 2)
      throw new UserError(
        `ctc needs logits [steps, classes], the blank included, not ${found}; end the model with a dense layer`,
      );
    // The workspace that c/ctc.c uses.
    const doubles = steps * (2 * length + 2) + 2 * length + 1;
    if (doubles * 8 > WORKSPACE_BYTES)
      throw new UserError(`ctc of ${length} labels and ${found} needs too much memory; use fewer steps`);
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
