/*
 * Single-shot detection on a grid of cells (Redmon et al., "You only look once", 2016; each cell's numbers as in the third
 * version): a cell says whether the middle of an object lies in it (one logit z), where its box is (four numbers b) and
 * what it is (a logit c for each class). With targets o (0 or 1), t and one-hot q, which is 0 where there is no object:
 *
 *     l = bce(z, o) + boxWeight * o * huber(b, t) + crossentropy(softmax(c), q)
 *     dz = (sigmoid(z) - o) * scale      db = boxWeight * o * huber'(b - t) * scale
 *     dc = (softmax(c) * (sum of q) - q) * scale
 *
 * Every cell is a term of its own, so nothing here mixes samples and the sums are the canonical tree's. The three parts
 * are those of binary-crossentropy.ts, huber.ts and categorical-crossentropy.ts, by the same kernels.
 */
import * as v from 'valibot';
import { UserError } from '../../errors.js';
import { lastOf, positionsOf } from '../shape.js';
import type { Loss, LossCall, LossSettings } from './loss.js';

/** Numbers of a cell in front of its classes: the object's logit, and its box. */
const BOX = 4;
const HEAD = 1 + BOX;

const DetectionAttributes = v.strictObject({
  boxWeight: v.pipe(
    v.number(),
    v.check((weight) => weight > 0 && Math.fround(weight) === weight, 'is no positive float32'),
  ),
  delta: v.pipe(
    v.number(),
    v.check((delta) => delta > 0 && Math.fround(delta) === delta, 'is no positive float32'),
  ),
});
export type DetectionAttributes = v.InferOutput<typeof DetectionAttributes>;

/**
 * The loss of single-shot detection. Predictions are [..., 5 + classes]: in each cell whether there is an object (a
 * logit), its box (four numbers, whatever they mean), its class (logits).
 * @param options.target the field with the same for each cell: 1 or 0, the box, and a one-hot class; all 0 where there
 *   is no object
 * @param options.boxWeight how much boxes count beside the rest; default: 5, as in the article
 * @param options.delta where Huber's straight line begins; default: 1
 */
export function detection(options: { target: string; boxWeight?: number; delta?: number }): LossSettings {
  const { target, boxWeight = 5, delta = 1 } = options;
  return {
    kind: 'detection',
    target,
    attributes: { boxWeight: Math.fround(boxWeight), delta: Math.fround(delta) },
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
    const { cells, classes, pitch, at } = placesOf(call);
    const take = (a: number, out: number, width: number): void => {
      to.emit('copyRows', { a, out, rows: cells, width, aPitch: pitch, outPitch: width });
    };
    take(prediction, at.logit, 1);
    take(prediction + 4, at.box, BOX);
    take(prediction + HEAD * 4, at.classes, classes);
    take(target, at.object, 1);
    take(target + 4, at.boxTarget, BOX);
    take(target + HEAD * 4, at.classTarget, classes);

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
    const { cells, classes, pitch, at } = placesOf(call);
    const { delta, boxWeight } = attributes;
    const put = (a: number, out: number, width: number): void => {
      to.emit('copyRows', { a, out, rows: cells, width, aPitch: width, outPitch: pitch });
    };
    // Each error term is written over what it was made of.
    const object = { logits: at.logit, targets: at.object, dlogits: at.logit };
    to.emit('binaryCrossEntropyBackward', { ...object, rows: cells, cols: 1, scale });
    const box = { y: at.box, targets: at.boxTarget, dy: at.box };
    to.emit('huberBackward', { ...box, rows: cells, cols: BOX, delta, scale: scale * boxWeight });
    to.emit('repeatRows', { a: at.object, out: at.boxTarget, rows: cells, times: BOX, width: 1 });
    to.emit('multiplyVectors', { out: at.box, a: at.box, b: at.boxTarget, n: cells * BOX });
    const kind = { probabilities: at.probabilities, targets: at.classTarget, dlogits: at.probabilities };
    to.emit('softmaxCrossEntropyBackward', { ...kind, rows: cells, cols: classes, scale });
    put(at.logit, dPrediction, 1);
    put(at.box, dPrediction + 4, BOX);
    put(at.probabilities, dPrediction + HEAD * 4, classes);
  },
};

/** What is kept of each cell, part by part, with its number of floats. */
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

/** Where the parts of all cells of all rows lie, each part in one piece. Offsets are bytes. */
function placesOf({ rows, shape, saved }: Pick<LossCall<never>, 'rows' | 'shape' | 'saved'>) {
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
