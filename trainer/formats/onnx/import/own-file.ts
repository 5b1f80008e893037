/*
 * ONNX files of this program hold the network itself as metadata, and its weights in the constants, rearranged. They are read by
 * writing the network again with numbers in place of the weights: where a number comes to lie, its weight lies in the file.
 */
import { UserError } from '../../../../shared/errors.js';
import { type Tensor, weightsSha256 } from '../../../../shared/files/tensors.js';
import { Graph, type Tensor as GraphTensor, type LayerIdentity } from '../../../../shared/graph/graph.js';
import type { Model } from '../../../../shared/graph/model.js';
import { elementsOf } from '../../../../shared/graph/shape.js';
import { parseStoredText } from '../../../model-text.js';
import { predictionFormat } from '../../../predictions.js';
import { ImportedNetwork } from '../../imported-network.js';
import { onnxGraph } from '../export.js';
import type { ReadModel } from './decode.js';

/** Numbers from here on are NaN or infinite as float32. */
const NUMBERS_MAX = 0x7f800000;

/** The network of a file of this program; undefined for other files. @throws UserError when it was changed */
export function ownNetwork(model: ReadModel, file: string): ImportedNetwork | undefined {
  const text = model.metadata.get('unisum.model');
  if (text === undefined) return undefined;
  const stored = parseStoredText(text, file);
  const parameters = weightsOf(stored.network, predictionFormat(stored).network, model, file);
  const isSame = weightsSha256(parameters) === model.metadata.get('weightsSha256');
  const graph = new Graph();
  return new ImportedNetwork({
    ...{ graph, output: rebuilt(stored.network, graph), stored },
    parameters: new Map(parameters.map((tensor) => [tensor.name, tensor])),
    notes: isSame ? [] : ['the weights were changed after the export'],
  });
}

function weightsOf(network: Model, exported: Model, { constants }: ReadModel, file: string): Tensor[] {
  const total = network.parameters.reduce((sum, { shape }) => sum + elementsOf(shape), 0);
  if (1 + 2 * total >= NUMBERS_MAX)
    throw new UserError(`${file} has too many weights to read them; load the run instead`);
  // Two numberings: what they have in common is no weight.
  const [first, second] = [1, 1 + total].map(
    (from) => onnxGraph(exported, numbered(network, from)).readConstants,
  );
  const others = new Map((second ?? []).map(({ name, bytes }) => [name, words(bytes)]));
  const bits = new Uint32Array(total);
  const seen = new Uint8Array(total);
  const inFile = new Map(constants.map((constant) => [constant.name, constant.values]));
  for (const { name, bytes } of first ?? []) {
    const [a, b, values] = [words(bytes), others.get(name), inFile.get(name)];
    if (!(values instanceof Float32Array) || values.length !== a.length || b === undefined) continue;
    const own = new Uint32Array(values.buffer, values.byteOffset, values.length);
    for (let i = 0; i < a.length; i++) {
      const number = a[i] as number;
      if (number === b[i]) continue;
      bits[number - 1] = own[i] as number;
      seen[number - 1] = 1;
    }
  }
  if (seen.includes(0))
    throw new UserError(
      `${file} was written by this program and lacks weights: it was changed; export the run again`,
    );
  const all = new Float32Array(bits.buffer);
  let at = 0;
  return network.parameters.map(({ name, shape }) => {
    const values = all.slice(at, at + elementsOf(shape));
    at += values.length;
    return { name, shape, values };
  });
}

/** Parameters whose bits are numbers, counted from `from`. */
function numbered({ parameters }: Model, from: number): Tensor[] {
  let next = from;
  return parameters.map(({ name, shape }) => {
    const bits = Uint32Array.from({ length: elementsOf(shape) }, () => next++);
    return { name, shape, values: new Float32Array(bits.buffer) };
  });
}

function words(bytes: Uint8Array): Uint32Array {
  return new Uint32Array(bytes.slice().buffer, 0, Math.floor(bytes.length / 4));
}

/** Adds a network to a graph. @returns its output */
function rebuilt(network: Model, graph: Graph): GraphTensor {
  const tensors = new Map<string, GraphTensor>();
  for (const { name, shape } of network.inputs) tensors.set(name, graph.input(name, shape));
  const declared = new Map(network.parameters.map((parameter) => [parameter.name, parameter]));
  const layers = new Map<string, LayerIdentity>();
  for (const { name, op, inputs, parameters, attributes } of network.nodes) {
    if (inputs.some((input) => !tensors.has(input))) continue;
    const [first] = Object.entries(parameters);
    const owner = first === undefined ? name : first[1].slice(0, -first[0].length - 1);
    const layer = layers.get(owner) ?? { kind: op, name: owner };
    layers.set(owner, layer);
    const part = name.startsWith(`${owner}/`) ? name.slice(owner.length + 1) : undefined;
    const roles = Object.entries(parameters).map(
      ([role, parameter]) => [role, declared.get(parameter)] as const,
    );
    tensors.set(
      name,
      graph.add({
        ...{ layer, op, attributes },
        ...(part !== undefined && { part }),
        inputs: inputs.map((input) => tensors.get(input) as GraphTensor),
        initializers: Object.fromEntries(
          roles.map(([role, own]) => [role, own?.initializer ?? { kind: 'zeros' }]),
        ),
        regularizers: Object.fromEntries(roles.map(([role, own]) => [role, own?.regularizer])),
      }),
    );
  }
  return tensors.get(network.output) as GraphTensor;
}
