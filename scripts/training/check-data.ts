import type { Dataset } from '../../shared/data/dataset.js';
import { firstWrong } from '../../shared/data/field-values.js';
import { UserError } from '../../shared/errors.js';
import { checkFields } from '../../shared/graph/fields.js';
import type { Plan } from '../../shared/graph/plan.js';
import { lastOf } from '../../shared/graph/shape.js';

/**
 * Looks whether a network can learn from data: whether its fields are there, its numbers are finite, and its class numbers
 * are of classes that the network has. All of it would be told much later, and as something else.
 * @throws UserError that names the field, and the sample, and the mend
 */
export function checkData(plan: Plan, dataset: Dataset): void {
  const { manifest } = dataset;
  checkFields(plan.fields, manifest.fields);
  for (const { name } of plan.fields) {
    if (manifest.fields[name]?.dtype !== 'f32') continue;
    const wrong = firstWrong(dataset, name, (value) => !Number.isFinite(value));
    if (wrong !== undefined)
      throw new UserError(
        `data set ${manifest.name}: ${name} of sample ${wrong.sample} holds ${wrong.value}; mend the data, or leave such samples out`,
      );
  }
  const { kind, target, attributes } = plan.model.loss;
  // Windows over a text hold what its alphabet has numbered.
  if (kind !== 'sparseCategoricalCrossentropy' || manifest.overlapBytes !== undefined) return;
  const classes = lastOf(plan.output);
  const wrong = firstWrong(
    dataset,
    target,
    (value) => !(value >= 0 && value < classes) && value !== attributes.ignoreIndex,
  );
  if (wrong !== undefined)
    throw new UserError(
      `data set ${manifest.name}: ${target} of sample ${wrong.sample} is ${wrong.value}, and the output ${plan.model.output} has ${classes} ` +
        `classes, 0 to ${classes - 1}; give the last layer more units, or mend the data`,
    );
}
