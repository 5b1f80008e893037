import type { Dataset } from '../shared/data/dataset.js';
import { fieldValues } from '../shared/data/field-values.js';
import { argMax } from '../shared/metrics/arg-max.js';
import { type ClassStats, classStats, confusionMatrix } from '../shared/metrics/confusion-matrix.js';
import { truthRanks } from '../shared/metrics/top-k.js';
import type { TrainedModel } from './trained-model.js';

/** Samples per prediction: their inputs and outputs are in memory at once. */
const PREDICTED_TOGETHER = 1024;

/** How well a classifier predicts the classes of test data. */
export interface Classification {
  /** Class names by number. */
  readonly classes: readonly string[];
  /** Rows are true classes, columns are predicted classes. */
  readonly confusion: readonly (readonly number[])[];
  readonly stats: readonly ClassStats[];
  /** For each sample, the rank of its true class among the predictions, from 0. */
  readonly ranks: Uint32Array;
}

/**
 * Classifies labelled samples; undefined for a model that does not predict one class per sample.
 * @param names class names by number
 */
export async function classify(
  { model, predictor, outputFloats }: Pick<TrainedModel, 'model' | 'predictor' | 'outputFloats'>,
  test: Dataset,
  names: readonly string[] | null,
): Promise<Classification | undefined> {
  const { loss, inputs } = model;
  const { target } = loss;
  const isOne = target !== undefined && test.manifest.fields[target]?.shape.length === 0;
  const isChoice = loss.kind === 'sparseCategoricalCrossentropy' && loss.attributes.ignoreIndex === undefined;
  if (!isChoice || !isOne) return undefined;
  const truth = fieldValues(test, target);
  const predicted = new Uint32Array(truth.length);
  const ranks = new Uint32Array(truth.length);
  for (let from = 0; from < truth.length; from += PREDICTED_TOGETHER) {
    const range = { from, to: Math.min(from + PREDICTED_TOGETHER, truth.length) };
    const rows = inputs.map(({ name }) => [name, fieldValues(test, name, range)] as const);
    const outputs = await predictor.predict(Object.fromEntries(rows));
    for (let row = 0; row < range.to - from; row++)
      predicted[from + row] = argMax(outputs.subarray(row * outputFloats, (row + 1) * outputFloats));
    ranks.set(truthRanks(outputs, truth.subarray(from, range.to), outputFloats), from);
  }
  const confusion = confusionMatrix(truth, predicted, outputFloats);
  const classes = Array.from({ length: outputFloats }, (_, i) => names?.[i] ?? String(i));
  return { classes, confusion, stats: classStats(confusion), ranks };
}
