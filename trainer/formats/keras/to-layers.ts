import { UserError } from '../../../shared/errors.js';
import type { Tensor } from '../../../shared/files/tensors.js';
import type { Model } from '../../../shared/graph/model.js';
import type { OpName } from '../../../shared/graph/ops/table.js';
import { type ResolvedNode, resolveModel } from '../../../shared/graph/resolve.js';
import { sameShape } from '../../../shared/graph/shape.js';
import { type Dialect, inKerasOrder, type LayerModel, type LayerOutput } from './layer-model.js';
import { LayerWriter, NoCounterpart } from './layer-writer.js';
import { OP_LAYERS } from './op-layers.js';
import { bidirectional, directionsOf } from './recurrent-layers.js';

/** How each dialect is called in messages. */
const TOOLS: Readonly<Record<Dialect, string>> = { keras: 'Keras', tfjs: 'TensorFlow.js' };

/**
 * A network with its weights as layers of Keras. A model of several outputs has them all.
 * @param network as predictions use it; see predictionFormat
 * @returns the layers, and what the user must know of them
 * @throws UserError that names every layer without a counterpart
 */
export function layersOf(
  network: Model,
  parameters: readonly Tensor[],
  dialect: Dialect,
): LayerModel & { readonly notes: readonly string[] } {
  const resolved = resolveModel(network);
  const { shapes } = resolved;
  const nodes = new Map(resolved.nodes.map((node) => [node.name, node]));
  const outputs = outputNames(network, nodes, shapes);
  const needed = neededNodes(nodes, outputs);
  const usesOf = new Map<string, number>();
  for (const name of [...needed.flatMap(({ inputs }) => inputs), ...outputs])
    usesOf.set(name, (usesOf.get(name) ?? 0) + 1);
  const pairs = new Map(
    needed.flatMap((node) => {
      const pair = directionsOf(node, nodes, usesOf);
      return pair === undefined ? [] : [[node.name, pair] as const];
    }),
  );
  const joined = new Set(
    [...pairs.values()].flatMap(({ forward, backward }) => [forward.name, backward.name]),
  );

  const writer = new LayerWriter(dialect, new Map(parameters.map((tensor) => [tensor.name, tensor])));
  const known = new Map<string, LayerOutput>();
  for (const { name, shape } of network.inputs) known.set(name, writer.input(name, shape));
  const inputs = [...known.values()];
  const problems: string[] = [];
  for (const node of needed) {
    if (joined.has(node.name)) continue;
    const pair = pairs.get(node.name);
    const sources = (pair?.forward ?? node).inputs.map((name) => known.get(name));
    // What follows from a layer without a counterpart is no problem of its own, unless it has none either.
    const [first, ...rest] = sources.map(
      (source, i) =>
        source ?? { layer: '', call: 0, shape: (pair?.forward ?? node).inputShapes[i] as readonly number[] },
    );
    if (first === undefined) continue;
    try {
      const output =
        pair === undefined
          ? OP_LAYERS[node.op as OpName](writer, { node, inputs: [first, ...rest] })
          : bidirectional(writer, node, pair, first);
      known.set(node.name, output);
    } catch (error) {
      if (!(error instanceof NoCounterpart)) throw error;
      problems.push(`${node.name} (${error.message})`);
    }
  }
  if (problems.length > 0)
    throw new UserError(
      `${TOOLS[dialect]} has no layer for ${problems.join(', ')}; export to onnx or pytorch, or build the network without them`,
    );
  const results = outputs.map((name) => known.get(name) as LayerOutput);
  const layers = inKerasOrder([...writer.layers.values()], results);
  return { inputs, outputs: results, layers, notes: [...writer.notes] };
}

/** The outputs of the model: several lie one after the other in its only one. */
function outputNames(
  { output, outputs }: Model,
  nodes: ReadonlyMap<string, ResolvedNode>,
  shapes: ReadonlyMap<string, readonly number[]>,
): string[] {
  const joint = nodes.get(output);
  if (outputs === undefined || outputs.length < 2 || joint?.op !== 'concatenate') return [output];
  return joint.inputs.map((name, i) => {
    const flat = nodes.get(name);
    const source = flat?.op === 'reshape' ? (flat.inputs[0] as string) : name;
    return sameShape(shapes.get(source) ?? [], outputs[i]?.shape ?? []) ? source : name;
  });
}

/** Without the nodes that only a composed loss reads, in their order. */
function neededNodes(nodes: ReadonlyMap<string, ResolvedNode>, outputs: readonly string[]): ResolvedNode[] {
  const needed = new Set(outputs);
  for (const { name, inputs } of [...nodes.values()].reverse())
    if (needed.has(name)) for (const input of inputs) needed.add(input);
  return [...nodes.values()].filter(({ name }) => needed.has(name));
}
