import type { Layer, LayerIdentity, Tensor } from '../graph.js';

/** Activation functions by the name that layers take; 'linear' is none. */
export type ActivationName = 'linear' | 'relu' | 'sigmoid' | 'softmax' | 'tanh';

/** A layer that is nothing but an activation function. */
export function activation(kind: ActivationName, options: { name?: string } = {}): Layer {
  const layer: LayerIdentity = { kind: 'activation', name: options.name };
  return (x) => applyActivation(x, kind, { layer });
}

/** Adds an activation function to the end of a layer; none for 'linear'. */
export function applyActivation(
  x: Tensor,
  kind: ActivationName,
  place: { layer: LayerIdentity; part?: string },
): Tensor {
  return kind === 'linear' ? x : x.graph.add({ ...place, op: kind, inputs: [x] });
}
