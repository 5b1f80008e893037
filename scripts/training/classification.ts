import type { RecipeData } from '../../coordinator/recipe.js';
import { fieldValues } from '../../shared/data/field-values.js';
import { argMax } from '../../shared/metrics/arg-max.js';
import { type ClassFigures, classFigures, confusionMatrix } from '../../shared/metrics/confusion-matrix.js';
import { truthRanks } from '../../shared/metrics/top-k.js';
import type { TrainedModel } from './trained-model.js';

/** Samples that are asked about together: their inputs and outputs are in memory at once. */
const TOGETHER = 1024;

/** How well a network chooses one of several classes. */
export interface Classification {
  /** Names by number. */
  readonly classes: readonly string[];
  /** A row for each true class, a column for each that is said. */
  readonly confusion: readonly (readonly number[])[];
  readonly figures: readonly ClassFigures[];
  /** For each sample the place of its class among the likeliest, from 0. */
  readonly ranks: Uint32Array;
}

/** What a model says about the test data; undefined where it does not choose one class for each sample. */
export async function classify(
  { model, predictor, outputFloats }: Pick<TrainedModel, 'model' | 'predictor' | 'outputFloats'>,
  data: RecipeData,
): Promise<Classification | undefined> {
  const { loss, inputs } = model;
  const { test } = data;
  const isOne = test.manifest.fields[loss.target]?.shape.length === 0;
  const isChoice = loss.kind === 'sparseCategoricalCrossentropy' && loss.attributes.ignoreIndex === undefined;
  if (!isChoice || !isOne) return undefined;
  const truth = fieldValues(test, loss.target);
  const said = new Uint32Array(truth.length);
  const ranks = new Uint32Array(truth.length);
  for (let from = 0; from < truth.length; from += TOGETHER) {
    const range = { from, to: Math.min(from + TOGETHER, truth.length) };
    const rows = inputs.map(({ name }) => [name, fieldValues(test, name, range)] as const);
    const outputs = await predictor.predict(Object.fromEntries(rows));
    for (let row = 0; row < range.to - from; row++)
      said[from + row] = argMax(outputs.subarray(row * outputFloats, (row + 1) * outputFloats));
    ranks.set(truthRanks(outputs, truth.subarray(from, range.to), outputFloats), from);
  }
  const confusion = confusionMatrix(truth, said, outputFloats);
  const classes = Array.from({ length: outputFloats }, (_, i) => data.classes?.[i] ?? String(i));
  return { classes, confusion, figures: classFigures(confusion), ranks };
}
