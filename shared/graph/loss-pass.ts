/*
 * The loss at the end of the forward pass, its metric sums, and the error term that backprop starts from.
 */
import type { Job } from './job.js';
import type { LossCall } from './losses/loss.js';
import { lossOf } from './losses/table.js';
import type { Frame, Program, RowTensor } from './program.js';
import type { ResolvedLoss } from './resolve.js';
import { elementsOf } from './shape.js';

/** What a loss reads. */
export interface LossInputs {
  readonly prediction: RowTensor;
  readonly target: RowTensor;
  /** Where metric sums begin in a vector. */
  readonly parameterFloats: number;
}

/** What the forward pass of a loss leaves for the backward pass. */
export interface LossTensors extends LossInputs {
  readonly saved: RowTensor | undefined;
}

/** Appends the loss of each sample, and the sums of all metrics for each subtree. */
export function compileLoss(program: Program<Job>, loss: ResolvedLoss, inputs: LossInputs): LossTensors {
  const definition = lossOf(loss.kind);
  const savedFloats = definition.saved(loss.shape, loss.attributes);
  const terms = definition.terms(loss.shape);
  const tensors = { ...inputs, saved: savedFloats > 0 ? program.rowTensor(savedFloats) : undefined };
  const metrics = loss.metrics.map(() => program.rowTensor(terms));
  program.add({
    reads: [inputs.prediction, inputs.target],
    writes: tensors.saved === undefined ? metrics : [tensors.saved, ...metrics],
    emit(to, frame) {
      definition.forward(to, { ...lossCall(loss, tensors, frame), metrics: metrics.map(frame.at) });
    },
  });
  program.add({
    reads: metrics,
    writes: [],
    emit(to, frame) {
      for (const { row, rows, out } of frame.job.subtrees) {
        metrics.forEach((metric, i) => {
          to.emit('treeSumRows', {
            a: frame.at(metric) + row * terms * 4,
            out: out + (inputs.parameterFloats + i) * 4,
            rows: rows * terms,
            n: 1,
            leafRows: frame.job.leafSize * terms,
          });
        });
      }
    },
  });
  return tensors;
}

/** Appends the error term of the prediction, dL/dprediction, and returns it. */
export function compileLossBackward(
  program: Program<Job>,
  loss: ResolvedLoss,
  tensors: LossTensors,
): RowTensor {
  const definition = lossOf(loss.kind);
  const { prediction, target, saved } = tensors;
  const dPrediction = program.rowTensor(elementsOf(loss.shape));
  program.add({
    reads: saved === undefined ? [prediction, target] : [prediction, target, saved],
    writes: [dPrediction],
    emit(to, frame) {
      definition.backward(to, {
        ...lossCall(loss, tensors, frame),
        dPrediction: frame.at(dPrediction),
        // A division of two integers, rounded to float32: the same on every machine.
        scale: 1 / (frame.job.batch * definition.terms(loss.shape)),
      });
    },
  });
  return dPrediction;
}

function lossCall(loss: ResolvedLoss, tensors: LossTensors, frame: Frame<Job>): LossCall<unknown> {
  return {
    rows: frame.job.rows,
    attributes: loss.attributes,
    shape: loss.shape,
    prediction: frame.at(tensors.prediction),
    target: frame.at(tensors.target),
    saved: frame.at(tensors.saved),
  };
}
