/*
 * lossTerms: the terms of a loss as a value, so that losses can be weighted, added and combined with other ops:
 *
 *     y = l(prediction, target), [terms], or a single number      d prediction = dy dl/d prediction
 *
 * The target has no error term.
 */
import * as v from 'valibot';
import { UserError } from '../../errors.js';
import { LOSSES, type LossName, lossOf } from '../losses/table.js';
import { elementsOf, formatShape, type Shape, sameShape } from '../shape.js';
import { type KernelOp, type OpUse, WITHOUT_PARAMETERS } from './op.js';

const LossTermsAttributes = v.strictObject({
  kind: v.picklist((Object.keys(LOSSES) as LossName[]).filter((name) => name !== 'value')),
  settings: v.record(v.string(), v.unknown()),
});
export type LossTermsAttributes = v.InferOutput<typeof LossTermsAttributes>;

export const lossTermsOp: KernelOp<LossTermsAttributes> = {
  ...WITHOUT_PARAMETERS,
  attributes: LossTermsAttributes,
  arity: { min: 2, max: 2 },
  shape({ name, inputs, attributes }) {
    const [prediction, target] = inputs as unknown as [Shape, Shape];
    const { definition, settings } = checkedLoss(name, attributes);
    const expected = definition.target(prediction, settings);
    if (expected === undefined || !sameShape(expected.shape, target))
      throw new UserError(
        `layer ${name}: the target has shape ${formatShape(target)}, but ${attributes.kind} of a prediction of shape ` +
          `${formatShape(prediction)} needs ${formatShape(expected?.shape ?? [])}`,
      );
    const terms = definition.terms(prediction);
    return terms === 1 ? [] : [terms];
  },
  backwardReads: { inputs: true, output: false },
  // What the loss saves, its other metrics, and the error terms of the values.
  saved({ name, inputs, attributes }: OpUse<LossTermsAttributes>) {
    const { definition, settings } = checkedLoss(name, attributes);
    const [prediction] = inputs;
    const others = definition.metrics(settings).length - 1;
    return [
      Math.max(1, definition.saved(prediction, settings)),
      Math.max(1, others * definition.terms(prediction)),
      elementsOf(prediction),
    ];
  },
  errorTerm: 'emitted',
  forward(to, { rows, inputs: [shape], attributes, x, y, saved }) {
    const [prediction, target] = x as unknown as [number, number];
    const { definition, settings } = checkedLoss('the loss', attributes);
    const terms = definition.terms(shape);
    const [own = 0, others = 0] = saved;
    const metrics = definition
      .metrics(settings)
      .map((_, i) => (i === 0 ? y : others + (i - 1) * rows * terms * 4));
    definition.forward(to, { rows, attributes: settings, shape, prediction, target, saved: own, metrics });
  },
  backward(to, { rows, inputs: [shape], attributes, x, saved, dy, dx }) {
    const [prediction, target] = x as unknown as [number, number];
    const [dPrediction, dTarget] = dx as unknown as [number, number];
    const { definition, settings } = checkedLoss('the loss', attributes);
    const [own = 0, , factors = 0] = saved;
    if (dTarget !== 0) to.emit('fill', { out: dTarget, n: rows * elementsOf(shape), value: 0 });
    if (dPrediction === 0) return;
    const call = { rows, attributes: settings, shape, prediction, target, saved: own };
    definition.backward(to, { ...call, dPrediction, scale: 1 });
    const terms = definition.terms(shape);
    const times = elementsOf(shape) / terms;
    to.emit('repeatRows', { a: dy, out: factors, rows: rows * terms, times, width: 1 });
    to.emit('multiplyVectors', { out: dPrediction, a: dPrediction, b: factors, n: rows * elementsOf(shape) });
  },
};

function checkedLoss(name: string, { kind, settings }: LossTermsAttributes) {
  const definition = lossOf(kind);
  const checked = v.safeParse(definition.attributes, settings);
  if (!checked.success) throw new UserError(`layer ${name}: ${kind}: ${checked.issues[0].message}`);
  return { definition, settings: checked.output };
}
