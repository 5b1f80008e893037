import type { Model } from '../shared/graph/model.js';

/** The node that turns logits into probabilities; no layer has a name like it. */
const PROBABILITIES = 'predict:probabilities';

/** The network with probabilities as its output, where they are computed from its output. */
export function withProbabilities(network: Model): Model {
  const { loss, output, nodes } = network;
  const isLogits = loss.prediction === output;
  const op =
    loss.kind === 'binaryCrossentropy'
      ? 'sigmoid'
      : loss.attributes.fromLogits === true && loss.kind.endsWith('ategoricalCrossentropy')
        ? 'softmax'
        : undefined;
  if (op === undefined || !isLogits) return network;
  const node = { name: PROBABILITIES, op, inputs: [output], parameters: {}, attributes: {} } as const;
  return { ...network, nodes: [...nodes, { ...node, inputs: [output] }], output: PROBABILITIES };
}
