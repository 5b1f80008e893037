/*
 * Networks of Keras layers, as `.keras` files and TensorFlow.js have them. A layer that is called twice shares its weights.
 */
import type { Tensor } from '../../../shared/files/tensors.js';
import type { Shape } from '../../../shared/graph/shape.js';

/** Which of the two descriptions of layers: they differ in some names, and in what layers can do. */
export type Dialect = 'keras' | 'tfjs';

/** The output of a call of a layer. */
export interface LayerOutput {
  readonly layer: string;
  readonly call: number;
  /** Shape of one sample. */
  readonly shape: Shape;
}

/** A weight of a layer, in the order that Keras has. */
export interface LayerWeight {
  /** Where the weight lies in its layer: '' or a path such as 'cell' or 'forward_layer/cell'. */
  readonly within: string;
  readonly role: string;
  readonly values: Omit<Tensor, 'name'>;
}

/** A layer: how it is constructed, what it is called with, and its weights. */
export interface KerasLayer {
  readonly className: string;
  readonly name: string;
  readonly config: Readonly<Record<string, unknown>>;
  readonly calls: (readonly LayerOutput[])[];
  readonly weights: readonly LayerWeight[];
}

/** A functional model. */
export interface LayerModel {
  readonly inputs: readonly LayerOutput[];
  readonly outputs: readonly LayerOutput[];
  /** In the order in which Keras lists them: see inKerasOrder. */
  readonly layers: readonly KerasLayer[];
}

/** A call of a layer. */
interface Call {
  readonly layer: KerasLayer;
  readonly inputs: readonly LayerOutput[];
}

/**
 * The layers in the order that Keras gives them when it builds the model: the furthest from the outputs first, and among equals in
 * the order of a depth-first search from the outputs (map_graph in keras/src/ops/function.py). The names of weights in a `.keras`
 * file follow from it.
 */
export function inKerasOrder(
  layers: readonly KerasLayer[],
  outputs: readonly LayerOutput[],
): readonly KerasLayer[] {
  const byName = new Map(layers.map((layer) => [layer.name, layer]));
  const calls = new Map<string, Call>();
  const found: Call[] = [];
  const indices = new Map<KerasLayer, number>();
  const callOf = ({ layer: name, call }: LayerOutput): Call => {
    const key = `${call} ${name}`;
    const layer = byName.get(name) as KerasLayer;
    const known = calls.get(key) ?? { layer, inputs: layer.calls[call] ?? [] };
    calls.set(key, known);
    return known;
  };
  const seen = new Set<Call>();
  const visit = (output: LayerOutput): void => {
    const call = callOf(output);
    if (seen.has(call)) return;
    seen.add(call);
    if (!indices.has(call.layer)) indices.set(call.layer, indices.size);
    call.inputs.forEach(visit);
    found.push(call);
  };
  outputs.forEach(visit);
  const depths = new Map<Call, number>();
  const layerDepths = new Map<KerasLayer, number>();
  for (const call of found.reverse()) {
    const depth = Math.max(depths.get(call) ?? 0, layerDepths.get(call.layer) ?? 0);
    layerDepths.set(call.layer, depth);
    for (const input of call.inputs.map(callOf))
      depths.set(input, Math.max(depth + 1, depths.get(input) ?? 0));
  }
  const depthOf = (layer: KerasLayer): number => layerDepths.get(layer) ?? 0;
  const indexOf = (layer: KerasLayer): number => indices.get(layer) ?? -1;
  return [...layers].sort((a, b) => depthOf(b) - depthOf(a) || indexOf(a) - indexOf(b));
}

/** The name that Keras gives to the weights of a class of layers: conv2d_transpose, lstm, max_pooling2d. */
export function snakeCase(className: string): string {
  return className
    .replace(/\W+/g, '')
    .replace(/(.)([A-Z][a-z]+)/g, '$1_$2')
    .replace(/([a-z])([A-Z])/g, '$1_$2')
    .toLowerCase();
}

/** Where the weights of each of these layers lie in a `.keras` file: dense, dense_1, ... */
export function weightPlaces(classNames: readonly string[]): string[] {
  const used = new Map<string, number>();
  return classNames.map((className) => {
    const name = snakeCase(className);
    const count = used.get(name) ?? 0;
    used.set(name, count + 1);
    return count === 0 ? name : `${name}_${count}`;
  });
}
