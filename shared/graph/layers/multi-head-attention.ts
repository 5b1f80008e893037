import { UserError } from '../../errors.js';
import type { LayerIdentity, Tensor } from '../graph.js';
import type { InitializerName } from '../initializers.js';
import { checkLayerOptions } from '../layer-options.js';
import type { Regularizer } from '../regularizers.js';
import { dense } from './dense.js';
import { partsOf } from './parts.js';

/** As in the article. */
const ROTARY_BASE = 10_000;

export interface MultiHeadAttentionOptions {
  /** Whether a position sees only itself and the positions before it. Default: false. */
  readonly causal?: boolean;
  /** Whether queries and keys are turned by their positions (RoPE); only without a memory. Default: false. */
  readonly rotary?: boolean;
  /** Of all projections; default: glorotUniform. */
  readonly kernelInitializer?: InitializerName;
  /** Penalty of each kernel. Default: none. */
  readonly kernelRegularizer?: Regularizer | undefined;
  readonly name?: string;
}

/** Optional inputs of attention beside its own sequence. */
export interface AttentionContext {
  /** Source of keys and values, [keys, any width]; default: the sequence itself. */
  readonly memory?: Tensor;
  /** [keys]: 0 for each key that is padding and is hidden. */
  readonly mask?: Tensor;
}

/** A mapping from a sequence [positions, width] and its context to a sequence of the same shape. */
export type AttentionLayer = (x: Tensor, context?: AttentionContext) => Tensor;

/**
 * Multi-head attention with its four projections (with biases). The first three are one product, or two where keys and
 * values come from `memory`.
 * Parameters: those of dense layers `<name>/inputs` (q, k and v concatenated), or `<name>/queries` and `<name>/memory`
 * (k and v), and `<name>/output`.
 */
export function multiHeadAttention(heads: number, options: MultiHeadAttentionOptions = {}): AttentionLayer {
  checkLayerOptions('multiHeadAttention()', options, [
    'causal',
    'rotary',
    'kernelInitializer',
    'kernelRegularizer',
    'name',
  ]);
  const { causal = false, rotary = false, kernelInitializer = 'glorotUniform', kernelRegularizer } = options;
  const layer: LayerIdentity = { kind: 'multiHeadAttention', name: options.name };
  const part = partsOf(layer);
  return (x, { memory, mask } = {}) => {
    const width = x.shape.at(-1) ?? 1;
    const project = (name: string, from: Tensor, units: number): Tensor =>
      part(x.graph, name, (full) => dense(units, { name: full, kernelInitializer, kernelRegularizer }))(from);
    const inputs =
      memory === undefined
        ? [project('inputs', x, 3 * width)]
        : [project('queries', x, width), project('memory', memory, 2 * width)];
    if (rotary && memory !== undefined)
      throw new UserError('rotary positions are those of one sequence: leave rotary out, or the memory');
    if (rotary) inputs[0] = turned(inputs[0] as Tensor, heads, layer);
    const attended = x.graph.add({
      layer,
      op: 'attention',
      inputs: mask === undefined ? inputs : [...inputs, mask],
      attributes: { heads, causal, masked: mask !== undefined },
    });
    return project('output', attended, width);
  };
}

/** q, k and v, of which q and k are turned by their positions. */
function turned(x: Tensor, heads: number, layer: LayerIdentity): Tensor {
  const width = (x.shape[1] as number) / 3;
  const cut = (part: string, from: number, to: number): Tensor =>
    x.graph.add({ layer, part, op: 'slice', inputs: [x], attributes: { axis: 1, from, to } });
  const [pair, values] = [cut('pair', 0, 2 * width), cut('values', 2 * width, 3 * width)];
  const attributes = { heads: 2 * heads, base: ROTARY_BASE };
  const rotated = x.graph.add({ layer, part: 'rotary', op: 'rotary', inputs: [pair], attributes });
  return x.graph.add({
    layer,
    part: 'joined',
    op: 'concatenate',
    inputs: [rotated, values],
    attributes: { axis: 1 },
  });
}
