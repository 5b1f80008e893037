import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { UserError } from '../../shared/errors.js';
import type { Model } from '../../shared/graph/model.js';
import { createPlan } from '../../shared/graph/plan.js';
import { parseModel } from '../../shared/graph/resolve.js';
import { MODELS, type ModelName } from './models.js';

const NAMES = Object.keys(MODELS) as ModelName[];
type Change = (model: Model) => unknown;

describe('a model as JSON', () => {
  it.each(NAMES)('comes back as it was: %s', (name) => {
    const model = MODELS[name]();
    expect(parseModel(JSON.parse(JSON.stringify(model)))).toEqual(model);
  });

  const changes: Record<string, [Change, RegExp]> = {
    'another format': [(m) => ({ ...m, format: 'unisum-model/2' }), /format/],
    'an unknown op': [(m) => ({ ...m, nodes: [{ ...m.nodes[0], op: 'constructor' }] }), /nodes\.0\.op/],
    'an unknown key': [(m) => ({ ...m, script: 'x' }), /script/],
    'an input from nowhere': [
      (m) => ({ ...m, nodes: m.nodes.map((n) => ({ ...n, inputs: ['nowhere'] })) }),
      /layer dense: there is no nowhere before it/,
    ],
    'a node before its input': [
      (m) => ({ ...m, nodes: [...m.nodes].reverse() }),
      /layer dense_1\/softmax: there is no dense_1 before it/,
    ],
    'a node twice': [
      (m) => ({ ...m, nodes: [...m.nodes, m.nodes[0]] }),
      /two inputs or layers are named dense/,
    ],
    'an output from nowhere': [(m) => ({ ...m, output: 'nowhere' }), /output nowhere/],
    'a loss of nothing': [
      (m) => ({ ...m, loss: { ...m.loss, prediction: 'nowhere' } }),
      /loss needs nowhere/,
    ],
    'attributes of another op': [
      (m) => ({ ...m, nodes: m.nodes.map((n) => ({ ...n, attributes: { units: 3 } })) }),
      /layer dense: useBias/,
    ],
    'a parameter of another shape': [
      (m) => ({ ...m, parameters: m.parameters.map((p) => ({ ...p, shape: [3] })) }),
      /layer dense: its kernel has shape \[3\].*\[5\].*\[5, 7\]/,
    ],
    'a missing parameter': [
      (m) => ({ ...m, parameters: [] }),
      /layer dense: its kernel dense\/kernel is missing/,
    ],
    'a parameter that nobody uses': [
      (m) => ({ ...m, parameters: [...m.parameters, { ...m.parameters[0], name: 'idle' }] }),
      /idle is used by no layer/,
    ],
    'parameters out of order': [(m) => ({ ...m, parameters: [...m.parameters].reverse() }), /name order/],
    'a role that the op has not': [
      (m) => ({ ...m, nodes: m.nodes.map((n) => ({ ...n, parameters: { toString: 'dense/bias' } })) }),
      /has no toString/,
    ],
    'a tensor that is too large': [
      (m) => ({ ...m, inputs: [{ name: 'x', shape: [2 ** 20, 2 ** 20] }] }),
      /input x: shape \[1048576, 1048576\] exceeds/,
    ],
    'not even an object': [() => 'model', /not a valid model/],
  };

  it.each(Object.entries(changes))('is refused with one clear line: %s', (_, [change, message]) => {
    const value = change(MODELS.classifier());
    expect(() => parseModel(value)).toThrow(UserError);
    expect(() => parseModel(value)).toThrow(message);
  });

  it('either fails as a UserError or can be planned, whatever is changed', () => {
    const mutations = fc.record({
      name: fc.constantFrom(...NAMES),
      at: fc.nat(),
      value: fc.oneof(
        fc.integer(),
        fc.double(),
        fc.constantFrom(null, '', 'x', 'dense', [], {}, true, [0], [-1]),
      ),
    });
    fc.assert(
      fc.property(mutations, ({ name, at, value }) => {
        try {
          createPlan(parseModel(replaceLeaf(MODELS[name](), at, value)));
        } catch (error) {
          expect(error).toBeInstanceOf(UserError);
        }
      }),
      { numRuns: 300 },
    );
  });
});

/** A copy of plain JSON in which the leaf (number, text, boolean) with this number is something else. */
function replaceLeaf(json: unknown, at: number, value: unknown): unknown {
  const text = JSON.stringify(json);
  let leaves = 0;
  JSON.parse(text, (_, leaf: unknown) => {
    if (typeof leaf !== 'object') leaves += 1;
    return leaf;
  });
  let index = 0;
  return JSON.parse(text, (_, leaf: unknown) =>
    typeof leaf !== 'object' && index++ === at % leaves ? value : leaf,
  );
}
