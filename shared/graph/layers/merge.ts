import { UserError } from '../../errors.js';
import type { LayerIdentity, Tensor } from '../graph.js';
import { checkLayerOptions } from '../layer-options.js';
import type { OpName } from '../ops/table.js';

/** A mapping from several tensors to one. */
export type MergeLayer = (inputs: readonly Tensor[]) => Tensor;

/** The sum of several tensors of one shape, such as a residual connection. */
export function add(options: { name?: string } = {}): MergeLayer {
  checkLayerOptions('add()', options, ['name']);
  return merge('add', options.name);
}

/** The product, element by element, of two tensors of one shape, such as a gate. */
export function multiply(options: { name?: string } = {}): MergeLayer {
  checkLayerOptions('multiply()', options, ['name']);
  return merge('multiply', options.name);
}

/**
 * Concatenates tensors along one axis; all other axes must be equal.
 * @param options axis: of the tensor of one sample, from 0; negative ones count from the end. Default: -1, the last
 */
export function concatenate(options: { axis?: number; name?: string } = {}): MergeLayer {
  checkLayerOptions('concatenate()', options, ['axis', 'name']);
  const { axis = -1, name } = options;
  return merge('concatenate', name, ({ shape }) => ({ axis: axis < 0 ? shape.length + axis : axis }));
}

function merge(
  op: OpName,
  name: string | undefined,
  attributesFor: (first: Tensor) => Readonly<Record<string, unknown>> = () => ({}),
): MergeLayer {
  const layer: LayerIdentity = { kind: op, name };
  return (inputs) => {
    const first = Array.isArray(inputs) ? inputs[0] : undefined;
    if (first === undefined)
      throw new UserError(`layer ${name ?? op}: it has no inputs; pass a list of tensors: ${op}()([a, b])`);
    return first.graph.add({ layer, op, inputs, attributes: attributesFor(first) });
  };
}
