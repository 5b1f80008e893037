import { UserError } from '../../errors.js';
import type { Layer, LayerIdentity, Tensor } from '../graph.js';

const NAMES = ['gelu', 'linear', 'logSoftmax', 'relu', 'sigmoid', 'silu', 'softmax', 'tanh'] as const;
/** Activation functions by the name that layers take; 'linear' is none. */
export type ActivationName = (typeof NAMES)[number];

/** A layer that is nothing but an activation function. */
export function activation(kind: ActivationName, options: { name?: string } = {}): Layer {
  const layer: LayerIdentity = { kind: 'activation', name: options.name };
  return (x) => applyActivation(x, kind, { layer });
}

/** relu that lets a share of what is negative through; default slope: 0.3, as Keras. */
export function leakyRelu(options: { slope?: number; name?: string } = {}): Layer {
  const { slope = 0.3 } = options;
  const layer: LayerIdentity = { kind: 'leakyRelu', name: options.name };
  return (x) => x.graph.add({ layer, op: 'leakyRelu', inputs: [x], attributes: { slope } });
}

/**
 * Adds an activation function to the end of a layer; none for 'linear'.
 * @throws UserError when there is no such function
 */
export function applyActivation(
  x: Tensor,
  kind: ActivationName,
  place: { layer: LayerIdentity; part?: string },
): Tensor {
  if (!NAMES.includes(kind))
    throw new UserError(
      `layer ${x.graph.nameOf(place.layer)}: there is no activation "${kind}"; known are ${NAMES.join(', ')}`,
    );
  return kind === 'linear' ? x : x.graph.add({ ...place, op: kind, inputs: [x] });
}
