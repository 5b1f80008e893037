import type { Tensor } from '../../../shared/files/tensors.js';
import { weightsSha256 } from '../../../shared/files/tensors.js';
import type { Model } from '../../../shared/graph/model.js';
import type { OpName } from '../../../shared/graph/ops/table.js';
import { resolveModel } from '../../../shared/graph/resolve.js';
import { asGpt2, type Gpt2 } from './gpt2.js';
import { loaderProgram } from './loader.js';
import { type Code, identifier, NetworkWriter } from './network-writer.js';
import { WRITERS } from './ops.js';

/** A network for PyTorch. */
export interface TorchExport {
  /** The state of the network, with PyTorch's names and layouts. */
  readonly state: readonly Tensor[];
  /** load_in_torch.py, which builds the network and loads the state. */
  readonly program: string;
  /** Set where the network is a GPT-2, and the names are those of Hugging Face. */
  readonly gpt2: Gpt2 | undefined;
}

/**
 * A network with its weights for PyTorch 1.13 or newer, for prediction. Inputs and output are those of predict: float32, with the
 * batch as first axis and images with their channels last.
 * @param network as predictions use it; see predictionFormat
 * @throws UserError when the weights are not those of the network, or it computes what PyTorch has no counterpart for
 */
export function torchExport(network: Model, parameters: readonly Tensor[], version: string): TorchExport {
  const resolved = resolveModel(network);
  const { nodes, shapes, model } = resolved;
  const gpt2 = asGpt2(resolved);
  const tensors = new Map(parameters.map((tensor) => [tensor.name, tensor]));
  const written = new NetworkWriter(tensors, gpt2?.paths ?? new Map());
  const variables = new Map<string, Code>(model.inputs.map(({ name }) => [name, identifier(name)]));
  // Without the nodes that only a composed loss reads.
  const needed = new Set([model.output]);
  for (const { name, inputs } of [...nodes].reverse())
    if (needed.has(name)) for (const input of inputs) needed.add(input);
  for (const node of nodes.filter(({ name }) => needed.has(name))) {
    const inputs = node.inputs.map((name) => variables.get(name) as Code) as [Code, ...Code[]];
    variables.set(node.name, WRITERS[node.op as OpName](written, { node, inputs }));
  }
  const program = loaderProgram({
    ...{ network, written, version },
    output: variables.get(model.output) as Code,
    outputShape: shapes.get(model.output) ?? [],
    weightsSha256: weightsSha256([...parameters]),
  });
  return { state: written.state, program, gpt2 };
}
