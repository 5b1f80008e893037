import { UserError } from '../../errors.js';
import type { LayerIdentity, Tensor } from '../graph.js';
import type { OpName } from '../ops/table.js';

/** A mapping from several tensors to one. */
export type MergeLayer = (inputs: readonly Tensor[]) => Tensor;

/** The sum of several tensors of one shape, such as a residual connection. */
export function add(options: { name?: string } = {}): MergeLayer {
  return merge('add', options.name);
}

/** The product, element by element, of two tensors of one shape, such as a gate. */
export function multiply(options: { name?: string } = {}): MergeLayer {
  return merge('multiply', options.name);
}

function merge(op: OpName, name: string | undefined): MergeLayer {
  const layer: LayerIdentity = { kind: op, name };
  return (inputs) => {
    const [first] = inputs;
    if (first === undefined)
      throw new UserError(`layer ${name ?? op}: there is nothing to join; give it two tensors`);
    return first.graph.add({ layer, op, inputs });
  };
}
