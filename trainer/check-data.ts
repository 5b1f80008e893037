import { checkFields } from '../shared/compiler/data-fields.js';
import type { Plan } from '../shared/compiler/plan.js';
import type { Dataset } from '../shared/data/dataset.js';
import { firstWrong } from '../shared/data/field-values.js';
import { UserError } from '../shared/errors.js';
import { resolveModel } from '../shared/graph/resolve.js';
import { lastOf } from '../shared/graph/shape.js';

/**
 * Checks that a network can learn from a data set: its fields exist, their values are finite, targets are what the loss takes,
 * ids are entries of their embedding, and no batch statistic is taken over a single sample. Without this check such data
 * would train without a word, or fail much later with an error that does not name the cause.
 * @param batch samples per step; left out for data that is only evaluated
 * @throws UserError that names the field, the sample, the value and the remedy
 */
export function checkData(plan: Plan, dataset: Dataset, batch?: number): void {
  const { manifest } = dataset;
  checkFields(plan.fields, manifest.fields);
  for (const { name } of plan.fields) {
    if (manifest.fields[name]?.dtype === 'f32')
      refuse(dataset, name, Number.isFinite, () => 'fix the data, or leave such samples out');
  }
  // Windows of a text hold only numbers of its own alphabet.
  if (manifest.overlapBytes !== undefined) return;
  checkTargets(plan, dataset);
  checkIds(plan, dataset);
  if (batch !== undefined) checkGroups(plan, manifest.samples, batch);
}

/** A loss whose target comes from the data. */
interface DataTarget {
  readonly kind: string;
  readonly target: string;
  readonly attributes: Readonly<Record<string, unknown>>;
  /** What it is a loss of, and how messages call it. */
  readonly prediction: string;
  readonly output: string;
}

/** The loss of the model, and those that it is composed of. */
function targetsOf({ model }: Plan): DataTarget[] {
  const { loss, nodes, fields = [], inputs } = model;
  const isField = (name: string): boolean => [...fields, ...inputs].some((field) => field.name === name);
  const composed = nodes.flatMap(({ op, inputs: [prediction = '', target = ''], attributes }) => {
    if (op !== 'lossTerms' || !isField(target)) return [];
    const { kind, settings } = attributes as { kind: string; settings: DataTarget['attributes'] };
    return [{ kind, target, attributes: settings, prediction, output: prediction }];
  });
  return loss.target === undefined
    ? composed
    : [{ ...loss, target: loss.target, output: model.output }, ...composed];
}

function checkTargets(plan: Plan, dataset: Dataset): void {
  const { shapes } = resolveModel(plan.model);
  for (const one of targetsOf(plan)) checkTarget(one, lastOf(shapes.get(one.prediction) ?? []), dataset);
}

function checkTarget(
  { kind, target, attributes, output }: DataTarget,
  classes: number,
  dataset: Dataset,
): void {
  const range = `the output ${output} has ${classes} classes, 0 to ${classes - 1}`;
  // The network sees float32: the byte 255, times 1 / 255, is 1.
  const isProbability = (value: number): boolean => value >= 0 && Math.fround(value) <= 1;
  switch (kind) {
    case 'sparseCategoricalCrossentropy':
      return refuse(
        dataset,
        target,
        (value) => (value >= 0 && value < classes) || value === attributes.ignoreIndex,
        () => `${range}; give the last layer more units, or fix the data`,
      );
    case 'ctc':
      return refuse(
        dataset,
        target,
        (value) => value >= 0 && value < classes,
        () =>
          `${range}, of which 0 is the blank and the padding; give the last layer more units, or fix the labels`,
      );
    case 'binaryCrossentropy':
    case 'categoricalCrossentropy':
      return refuse(
        dataset,
        target,
        isProbability,
        () => `${kind} needs targets from 0 to 1; bring them to 0 and 1, or use another loss`,
      );
    default:
      return;
  }
}

/** Ids of an embedding that come straight from the data: whole numbers, entries of its table, or -1 for padding. */
function checkIds({ model, fields }: Plan, dataset: Dataset): void {
  for (const { name, op, inputs, attributes } of model.nodes) {
    const [input] = inputs;
    const entries = attributes?.entries;
    if (op !== 'embedding' || typeof entries !== 'number') continue;
    if (input === undefined || !fields.some((field) => field.name === input)) continue;
    refuse(
      dataset,
      input,
      (value) => Number.isInteger(value) && value >= -1 && value < entries,
      () =>
        `the embedding ${name} has ${entries} entries, 0 to ${entries - 1} (-1: padding); give it more, or fix the ids`,
    );
  }
}

/** Statistics over one sample have a variance of 0: batch normalization would learn from noise. */
function checkGroups({ model, group }: Plan, samples: number, batch: number): void {
  // Frozen batch normalization has no groups.
  if (group === 1 || !model.nodes.some(({ op }) => op === 'batchNormalization')) return;
  for (const size of [Math.min(batch, samples), samples % batch]) {
    if (size === 0 || size % group !== 1) continue;
    throw new UserError(
      `a batch of ${size} samples ends with a group of one for batch normalization (groups of ${group}), whose variance is 0; ` +
        'choose another --batch, another virtualBatchSize, or another number of samples',
    );
  }
}

/** Refuses the first value of a field that is not accepted. */
function refuse(
  dataset: Dataset,
  name: string,
  isAccepted: (value: number) => boolean,
  remedy: () => string,
): void {
  const wrong = firstWrong(dataset, name, (value) => !isAccepted(value));
  if (wrong === undefined) return;
  const { sample, value } = wrong;
  const what = Number.isFinite(value) ? `is ${value}, and` : `holds ${value};`;
  throw new UserError(`data set ${dataset.manifest.name}: ${name} of sample ${sample} ${what} ${remedy()}`);
}
