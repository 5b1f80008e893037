import { UserError } from '../../../shared/errors.js';
import type { Tensor } from '../../../shared/files/tensors.js';
import { weightsSha256 } from '../../../shared/files/tensors.js';
import type { Model } from '../../../shared/graph/model.js';
import type { OpName } from '../../../shared/graph/ops/table.js';
import { resolveModel } from '../../../shared/graph/resolve.js';
import { GraphWriter, type Name } from './graph-writer.js';
import { encodeModel } from './messages.js';
import { WRITERS } from './ops.js';

/** Version of ONNX's operators. */
const OPSET = 17;
/** A file is one message, and a message is shorter than 2 GiB. */
const BYTES_MAX = 2 ** 31 - 2 ** 20;

/**
 * A network with its weights as an ONNX model for prediction. Inputs and output have the names that they have in the network,
 * float32, with the batch, of any size, as first axis. Inputs are what the network sees: bytes are scaled already.
 * @param network as predictions use it; see predictionFormat
 * @param metadata kept in the file
 * @throws UserError when the weights are not those of the network, or too large for the format
 */
export function onnxModel(
  network: Model,
  parameters: readonly Tensor[],
  {
    version,
    metadata = {},
  }: { readonly version: string; readonly metadata?: Readonly<Record<string, string>> },
): Uint8Array {
  const bytes = parameters.reduce((sum, { values }) => sum + values.byteLength, 0);
  if (bytes > BYTES_MAX)
    throw new UserError(
      `the weights take ${bytes} bytes, and an ONNX file has at most 2 GiB; export safetensors`,
    );
  const { model, shapes } = resolveModel(network);
  const graph = onnxGraph(network, parameters);
  const shape = shapes.get(model.output) ?? [];
  return encodeModel({
    ...{ name: 'unisum', opset: OPSET, version, nodes: graph.nodes, constants: graph.readConstants },
    inputs: model.inputs,
    outputs: [{ name: outputName(model), shape }],
    metadata: { weightsSha256: weightsSha256([...parameters]), ...metadata },
  });
}

/**
 * The operators and constants of a network. Weights enter the constants as they are, in another order: no arithmetic is done on them.
 * @throws UserError when the weights are not those of the network
 */
export function onnxGraph(network: Model, parameters: readonly Tensor[]): GraphWriter {
  const { nodes, model } = resolveModel(network);
  const tensors = new Map(parameters.map((tensor) => [tensor.name, tensor]));
  const graph = new GraphWriter();
  const names = new Map<string, Name>(model.inputs.map(({ name }) => [name, name]));
  // Without the nodes that only a composed loss reads.
  const needed = new Set([model.output]);
  for (const { name, inputs } of [...nodes].reverse())
    if (needed.has(name)) for (const input of inputs) needed.add(input);
  for (const node of nodes.filter(({ name }) => needed.has(name))) {
    const inputs = node.inputs.map((name) => names.get(name) as Name) as [Name, ...Name[]];
    const weight = (role: string) => {
      const name = node.parameters[role];
      if (name === undefined) return undefined;
      const tensor = tensors.get(name);
      if (tensor !== undefined) return tensor;
      throw new UserError(`the weights have no ${name}: they are of another network`);
    };
    names.set(node.name, WRITERS[node.op as OpName](graph, { node, inputs, weight }));
  }
  // The output has the name of its node.
  graph.nodes.push({
    op: 'Identity',
    name: `${model.output}:output`,
    inputs: [names.get(model.output) as Name],
    outputs: [outputName(model)],
    attributes: {},
  });
  return graph;
}

/** The output must not have the name of an input. */
function outputName({ inputs, output }: Model): string {
  return inputs.some(({ name }) => name === output) ? `${output}:output` : output;
}
