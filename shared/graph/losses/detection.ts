/*
 * Single-shot detection on a grid of cells (Redmon et al., "You only look once", 2016; the outputs of a cell as in version
 * 3): each cell predicts whether it contains the center of an object (one logit z), its box (four numbers b) and its class (a
 * logit c for each class). With targets o (0 or 1), t and one-hot q, which is 0 where there is no object:
 *
 *     l = bce(z, o) + boxWeight * o * huber(b, t) + crossentropy(softmax(c), q)
 *     dz = (sigmoid(z) - o) * scale      db = boxWeight * o * huber'(b - t) * scale
 *     dc = (softmax(c) * (sum of q) - q) * scale
 *
 * Every cell is a separate term, so samples stay independent and are summed by the canonical tree. The three parts are those
 * of binary-crossentropy.ts, huber.ts and categorical-crossentropy.ts, with the same kernels.
 */

import * as v from 'valibot';
import { UserError } from '../../errors.js';
import { checkOptionNames } from '../../nearest.js';
import { lastOf, positionsOf } from '../shape.js';
import type { Loss, LossCall, LossSettings } from './loss.js';
import { type SampleWeightOptions, weightsOf } from './weights.js';

/** Numbers of a box, and of a cell before its classes: the logit of the object, and its box. */
const BOX = 4;
const HEAD = 1 + BOX;

const DetectionAttributes = v.strictObject({
  boxWeight: v.pipe(
    v.number(),
    v.check((weight) => weight > 0 && Math.fround(weight) === weight, 'is not a positive float32'),
  ),
  delta: v.pipe(
    v.number(),
    v.check((delta) => delta > 0 && Math.fround(delta) === delta, 'is not a positive float32'),
  ),
});
export type DetectionAttributes = v.InferOutput<typeof DetectionAttributes>;

/**
 * The loss of single-shot detection. Predictions are [..., 5 + classes]: for each cell whether it contains an object (a
 * logit), its box (four numbers, whose meaning the data defines) and its class (logits).
 * @param options.target the field with the targets of each cell: 1 or 0, the box, and a one-hot class; all 0 where there
 *   is no object
 * @param options.sampleWeight the field with a weight for each sample; see weights.ts
 * @param options.boxWeight weight of the boxes relative to the other terms; default: 5, as in the article
 * @param options.delta where the linear part of Huber's loss starts; default: 1
 */
export function detection(
  options: { target: string; boxWeight?: number; delta?: number } & SampleWeightOptions,
): LossSettings {
  checkOptionNames('detection()', options, ['target', 'boxWeight', 'delta', 'sampleWeight']);
  const { target, boxWeight = 5, delta = 1 } = options;
  return {
    kind: 'detection',
    target,
    attributes: { boxWeight: Math.fround(boxWeight), delta: Math.fround(delta) },
    ...weightsOf(options),
  };
}

export const detectionLoss: Loss<DetectionAttributes> = {
  attributes: DetectionAttributes,
  metrics: () => ['loss'],
  target(shape) {
    if (shape.length === 0 || lastOf(shape) <= HEAD) {
      throw new UserError(
        'detection needs 5 numbers and one for each class in every cell; end the model with 5 + classes channels',
      );
    }
    return { dtype: 'f32', shape };
  },
  terms: positionsOf,
  saved: (shape) => positionsOf(shape) * partsOf(lastOf(shape)).floats,
  forward(to, call) {
    const { prediction, target, metrics, attributes } = call;
    const [loss] = metrics as [number];
    const { cells, classes, pitch, at } = layoutOf(call);
    const extract = (a: number, out: number, width: number): void => {
      to.emit('copyRows', { a, out, rows: cells, width, aPitch: pitch, outPitch: width });
    };
    extract(prediction, at.logit, 1);
    extract(prediction + 4, at.box, BOX);
    extract(prediction + HEAD * 4, at.classes, classes);
    extract(target, at.object, 1);
    extract(target + 4, at.boxTarget, BOX);
    extract(target + HEAD * 4, at.classTarget, classes);

    const object = { logits: at.logit, targets: at.object, loss, correct: at.correct };
    to.emit('binaryCrossEntropyForward', { ...object, rows: cells, cols: 1 });
    const box = { y: at.box, targets: at.boxTarget, loss: at.part };
    to.emit('huberForward', { ...box, rows: cells, cols: BOX, delta: attributes.delta });
    to.emit('multiplyVectors', { out: at.part, a: at.part, b: at.object, n: cells });
    to.emit('scaleVector', { out: at.part, a: at.part, n: cells, factor: attributes.boxWeight });
    to.emit('addVectors', { out: loss, a: loss, b: at.part, n: cells });
    const kind = { logits: at.classes, targets: at.classTarget, probabilities: at.probabilities };
    const results = { loss: at.part, correct: at.correct };
    to.emit('softmaxCrossEntropyForward', { ...kind, ...results, rows: cells, cols: classes });
    to.emit('addVectors', { out: loss, a: loss, b: at.part, n: cells });
  },
  backward(to, call) {
    const { dPrediction, scale, attributes } = call;
    const { cells, classes, pitch, at } = layoutOf(call);
    const { delta, boxWeight } = attributes;
    const insert = (a: number, out: number, width: number): void => {
      to.emit('copyRows', { a, out, rows: cells, width, aPitch: width, outPitch: pitch });
    };
    // Each error term overwrites its input.
    const object = { logits: at.logit, targets: at.object, dlogits: at.logit };
    to.emit('binaryCrossEntropyBackward', { ...object, rows: cells, cols: 1, scale });
    const box = { y: at.box, targets: at.boxTarget, dy: at.box };
    to.emit('huberBackward', { ...box, rows: cells, cols: BOX, delta, scale: scale * boxWeight });
    to.emit('repeatRows', { a: at.object, out: at.boxTarget, rows: cells, times: BOX, width: 1 });
    to.emit('multiplyVectors', { out: at.box, a: at.box, b: at.boxTarget, n: cells * BOX });
    const kind = { probabilities: at.probabilities, targets: at.classTarget, dlogits: at.probabilities };
    to.emit('softmaxCrossEntropyBackward', { ...kind, rows: cells, cols: classes, scale });
    insert(at.logit, dPrediction, 1);
    insert(at.box, dPrediction + 4, BOX);
    insert(at.probabilities, dPrediction + HEAD * 4, classes);
  },
};

/** The parts that are saved for each cell, with their numbers of floats. */
function partsOf(pitch: number) {
  const classes = pitch - HEAD;
  const widths = {
    logit: 1,
    object: 1,
    box: BOX,
    boxTarget: BOX,
    classes,
    classTarget: classes,
    probabilities: classes,
    part: 1,
    correct: 1,
  };
  return { classes, widths, floats: Object.values(widths).reduce((a, b) => a + b, 0) };
}

/** The byte offsets of the parts; each part is contiguous for all cells of all rows. */
function layoutOf({ rows, shape, saved }: Pick<LossCall<never>, 'rows' | 'shape' | 'saved'>) {
  const pitch = lastOf(shape);
  const cells = rows * positionsOf(shape);
  const { classes, widths } = partsOf(pitch);
  let next = saved;
  const at = { ...widths };
  for (const part of Object.keys(widths) as (keyof typeof widths)[]) {
    at[part] = next;
    next += cells * widths[part] * 4;
  }
  return { cells, classes, pitch, at };
}
