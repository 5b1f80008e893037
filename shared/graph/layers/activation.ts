import { UserError } from '../../errors.js';
import type { Layer, LayerIdentity, Tensor } from '../graph.js';
import { checkLayerOptions } from '../layer-options.js';

const NAMES = ['gelu', 'linear', 'logSoftmax', 'relu', 'sigmoid', 'silu', 'softmax', 'tanh'] as const;
/** Names of activation functions; 'linear' means none. */
export type ActivationName = (typeof NAMES)[number];

/** An activation function as a layer. */
export function activation(kind: ActivationName, options: { name?: string } = {}): Layer {
  checkLayerOptions('activation()', options, ['name']);
  const layer: LayerIdentity = { kind: 'activation', name: options.name };
  return (x) => applyActivation(x, kind, { layer });
}

/** relu with a slope for negative inputs; default slope: 0.3, as in Keras. */
export function leakyRelu(options: { slope?: number; name?: string } = {}): Layer {
  checkLayerOptions('leakyRelu()', options, ['slope', 'name']);
  const { slope = 0.3 } = options;
  const layer: LayerIdentity = { kind: 'leakyRelu', name: options.name };
  return (x) => x.graph.add({ layer, op: 'leakyRelu', inputs: [x], attributes: { slope } });
}

/**
 * Adds an activation function after a layer; nothing for 'linear'.
 * @throws UserError when the name is unknown
 */
export function applyActivation(
  x: Tensor,
  kind: ActivationName,
  node: { layer: LayerIdentity; part?: string },
): Tensor {
  if (!NAMES.includes(kind))
    throw new UserError(
      `layer ${x.graph.nameOf(node.layer)}: unknown activation "${kind}"; use one of ${NAMES.join(', ')}`,
    );
  return kind === 'linear' ? x : x.graph.add({ ...node, op: kind, inputs: [x] });
}
