import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { createPlan } from '../../shared/compiler/plan.js';
import { UserError } from '../../shared/errors.js';
import type { Model } from '../../shared/graph/model.js';
import { parseModel } from '../../shared/graph/resolve.js';
import { MODELS, type ModelName } from './models.js';

const NAMES = Object.keys(MODELS) as ModelName[];
type Change = (model: Model) => unknown;

describe('a model as JSON', () => {
  it.each(NAMES)('is unchanged after parsing: %s', (name) => {
    const model = MODELS[name]();
    expect(parseModel(JSON.parse(JSON.stringify(model)))).toEqual(model);
  });

  const changes: Record<string, [Change, RegExp]> = {
    'another format': [(m) => ({ ...m, format: 'unisum-model/2' }), /format/],
    'an unknown op': [(m) => ({ ...m, nodes: [{ ...m.nodes[0], op: 'constructor' }] }), /nodes\.0\.op/],
    'an unknown key': [(m) => ({ ...m, script: 'x' }), /script/],
    'an unknown input': [
      (m) => ({ ...m, nodes: m.nodes.map((n) => ({ ...n, inputs: ['nowhere'] })) }),
      /layer dense: its input nowhere is not defined before it/,
    ],
    'a node before its input': [
      (m) => ({ ...m, nodes: [...m.nodes].reverse() }),
      /layer dense_1\/softmax: its input dense_1 is not defined before it/,
    ],
    'a node twice': [
      (m) => ({ ...m, nodes: [...m.nodes, m.nodes[0]] }),
      /two inputs or layers are named dense/,
    ],
    'an unknown output': [(m) => ({ ...m, output: 'nowhere' }), /output nowhere/],
    'a loss of an unknown layer': [
      (m) => ({ ...m, loss: { ...m.loss, prediction: 'nowhere' } }),
      /loss needs nowhere/,
    ],
    'attributes of another op': [
      (m) => ({ ...m, nodes: m.nodes.map((n) => ({ ...n, attributes: { units: 3 } })) }),
      /layer dense: "useBias" is missing/,
    ],
    'a parameter of another shape': [
      (m) => ({ ...m, parameters: m.parameters.map((p) => ({ ...p, shape: [3] })) }),
      /layer dense: its kernel has shape \[3\].*\[5\].*\[5, 7\]/,
    ],
    'a missing parameter': [
      (m) => ({ ...m, parameters: [] }),
      /layer dense: its kernel dense\/kernel is missing/,
    ],
    'an unused parameter': [
      (m) => ({ ...m, parameters: [...m.parameters, { ...m.parameters[0], name: 'idle' }] }),
      /idle is not used by any layer/,
    ],
    'parameters out of order': [(m) => ({ ...m, parameters: [...m.parameters].reverse() }), /name order/],
    'a role that the op does not have': [
      (m) => ({ ...m, nodes: m.nodes.map((n) => ({ ...n, parameters: { toString: 'dense/bias' } })) }),
      /has no toString/,
    ],
    'a tensor that is too large': [
      (m) => ({ ...m, inputs: [{ name: 'x', shape: [2 ** 20, 2 ** 20] }] }),
      /input x: shape \[1048576, 1048576\] exceeds/,
    ],
    'not even an object': [() => 'model', /not a valid model/],
  };

  it.each(Object.entries(changes))('is refused with a clear message: %s', (_, [change, message]) => {
    const value = change(MODELS.classifier());
    expect(() => parseModel(value)).toThrow(UserError);
    expect(() => parseModel(value)).toThrow(message);
  });

  it('with any change either fails with a UserError or can be compiled', () => {
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

/** A copy of plain JSON in which the leaf (number, text or boolean) with index `at` is replaced. */
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
