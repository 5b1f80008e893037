import type { Layer, LayerIdentity, Tensor } from '../graph.js';

/** Activation functions by the name that layers take; 'linear' is none. */
export type ActivationName =
  | 'gelu'
  | 'linear'
  | 'logSoftmax'
  | 'relu'
  | 'sigmoid'
  | 'silu'
  | 'softmax'
  | 'tanh';

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

/** Adds an activation function to the end of a layer; none for 'linear'. */
export function applyActivation(
  x: Tensor,
  kind: ActivationName,
  place: { layer: LayerIdentity; part?: string },
): Tensor {
  return kind === 'linear' ? x : x.graph.add({ ...place, op: kind, inputs: [x] });
}
