/*
 * The loss after the forward pass, its metric sums, and the error term with which backprop starts.
 */

import type { LossCall } from '../graph/losses/loss.js';
import { lossOf } from '../graph/losses/table.js';
import { classTargetsOf } from '../graph/losses/weights.js';
import type { ResolvedLoss } from '../graph/resolve.js';
import { elementsOf } from '../graph/shape.js';
import type { TrainingRows } from './batch-rows.js';
import { type EmitContext, type Program, present, type RowTensor } from './program.js';

/** The inputs of a loss. */
export interface LossInputs {
  readonly prediction: RowTensor;
  /** Undefined for a loss without one. */
  readonly target: RowTensor | undefined;
  /** The weight of each sample; undefined: they have none. */
  readonly sampleWeight: RowTensor | undefined;
  /** Start of the metric sums in a vector, in floats. */
  readonly gradientFloats: number;
}

/** The tensors that the backward pass of a loss reads. */
export interface LossTensors extends LossInputs {
  readonly saved: RowTensor | undefined;
  /** The weight of each term; undefined: all are 1. */
  readonly weights: RowTensor | undefined;
}

/** Appends the loss of each sample, and the sums of all metrics for each subtree. */
export function compileLoss(
  program: Program<TrainingRows>,
  loss: ResolvedLoss,
  inputs: LossInputs,
): LossTensors {
  const definition = lossOf(loss.kind);
  const savedFloats = definition.saved(loss.shape, loss.attributes);
  const terms = definition.terms(loss.shape);
  const weights = compileWeights(program, loss, inputs);
  const tensors = {
    ...{ ...inputs, weights },
    saved: savedFloats > 0 ? program.rowTensor(savedFloats) : undefined,
  };
  const metrics = loss.metrics.map(() => program.rowTensor(terms));
  program.add({
    reads: present([inputs.prediction, inputs.target, weights]),
    writes: tensors.saved === undefined ? metrics : [tensors.saved, ...metrics],
    emit(to, context) {
      definition.forward(to, { ...lossCall(loss, tensors, context), metrics: metrics.map(context.at) });
      const [own] = metrics;
      if (weights === undefined || own === undefined) return;
      const at = context.at(own);
      to.emit('multiplyVectors', { out: at, a: at, b: context.at(weights), n: context.range.rows * terms });
    },
  });
  program.add({
    reads: metrics,
    writes: [],
    isMetrics: true,
    emit(to, context) {
      for (const { row, rows, out } of context.range.subtrees) {
        metrics.forEach((metric, i) => {
          to.emit('treeSumRows', {
            a: context.at(metric) + row * terms * 4,
            out: out + (inputs.gradientFloats + i) * 4,
            rows: rows * terms,
            n: 1,
            leafRows: context.range.leafSize * terms,
          });
        });
      }
    },
  });
  return tensors;
}

/** Appends the error term of the prediction, dL/dprediction, and returns it. */
export function compileLossBackward(
  program: Program<TrainingRows>,
  loss: ResolvedLoss,
  tensors: LossTensors,
): RowTensor {
  const definition = lossOf(loss.kind);
  const { prediction, target, saved, weights } = tensors;
  const elements = elementsOf(loss.shape);
  const dPrediction = program.rowTensor(elements);
  const factors = weights && program.rowTensor(elements);
  program.add({
    reads: present([prediction, target, saved, weights]),
    writes: present([dPrediction, factors]),
    emit(to, context) {
      definition.backward(to, {
        ...lossCall(loss, tensors, context),
        dPrediction: context.at(dPrediction),
        // A division of two integers, rounded to float32: the same on every machine.
        scale: 1 / (context.range.batch * definition.terms(loss.shape)),
      });
      if (factors === undefined) return;
      const rows = context.range.rows * definition.terms(loss.shape);
      const [at, out] = [context.at(factors), context.at(dPrediction)];
      const times = elements / definition.terms(loss.shape);
      to.emit('repeatRows', { a: context.at(weights), out: at, rows, times, width: 1 });
      to.emit('multiplyVectors', { out, a: out, b: at, n: rows * times });
    },
  });
  return dPrediction;
}

/** Appends the weight of each term, as weights.ts has it; undefined: the loss has no weights. */
function compileWeights(
  program: Program<TrainingRows>,
  { kind, shape, weights }: ResolvedLoss,
  { target, sampleWeight }: LossInputs,
): RowTensor | undefined {
  if (weights === undefined) return undefined;
  const terms = lossOf(kind).terms(shape);
  const { classes } = weights;
  const out = program.rowTensor(terms);
  const found = classes === undefined ? undefined : classTargetsOf(kind);
  const listed = found === 'yes-or-no' ? undefined : classes?.length;
  const table = listed === undefined ? undefined : program.rowTensor(listed);
  const isNumber = listed !== undefined && found === 'numbers';
  const shares = isNumber ? program.rowTensor(terms * listed) : undefined;
  const each = classes && sampleWeight && program.rowTensor(terms);
  program.add({
    reads: present([target, sampleWeight]),
    writes: present([out, table, shares, each]),
    emit(to, { at, range }) {
      const rows = range.rows * terms;
      const [own, other] = [at(out), at(sampleWeight)];
      if (classes === undefined) {
        to.emit('repeatRows', { a: other, out: own, rows: range.rows, times: terms, width: 1 });
        return;
      }
      if (table === undefined) {
        const [no = 1, yes = 1] = classes;
        // A difference of two float32, rounded to float32: the same on every machine.
        to.emit('affineVector', {
          out: own,
          a: at(target),
          n: rows,
          factor: Math.fround(yes - no),
          summand: no,
        });
      } else {
        const cols = classes.length;
        classes.forEach((value, i) => {
          to.emit('fill', { out: at(table) + i * 4, n: 1, value });
        });
        if (shares !== undefined) to.emit('oneHot', { labels: at(target), out: at(shares), rows, cols });
        const product = { a: at(shares ?? target), b: at(table), bias: 0, out: own };
        to.emit('matmul', { ...product, rows, inner: cols, cols: 1, activation: 0 });
      }
      if (each === undefined) return;
      to.emit('repeatRows', { a: other, out: at(each), rows: range.rows, times: terms, width: 1 });
      to.emit('multiplyVectors', { out: own, a: own, b: at(each), n: rows });
    },
  });
  return out;
}

function lossCall(
  loss: ResolvedLoss,
  tensors: LossTensors,
  context: EmitContext<TrainingRows>,
): LossCall<unknown> {
  return {
    rows: context.range.rows,
    attributes: loss.attributes,
    shape: loss.shape,
    prediction: context.at(tensors.prediction),
    target: context.at(tensors.target),
    saved: context.at(tensors.saved),
  };
}
