import type { LayerIdentity, Tensor } from '../graph.js';
import type { InitializerName } from '../initializers.js';
import type { Regularizer } from '../regularizers.js';
import { dense } from './dense.js';
import { partsOf } from './parts.js';

export interface MultiHeadAttentionOptions {
  /** Default: false. Whether a position sees only itself and those before it. */
  readonly causal?: boolean;
  /** Of all projections; default: glorotUniform. */
  readonly kernelInitializer?: InitializerName;
  /** What each kernel adds to the loss by being large. Default: nothing. */
  readonly kernelRegularizer?: Regularizer | undefined;
  readonly name?: string;
}

/** What attention looks at beside its own sequence. */
export interface AttentionContext {
  /** Where keys and values come from, [keys, any width]; default: from the sequence itself. */
  readonly memory?: Tensor;
  /** [keys]: 0 for each key that is padding and must not be seen. */
  readonly mask?: Tensor;
}

/** A mapping from a sequence [positions, width], and what it may look at, to another of the same shape. */
export type AttentionLayer = (x: Tensor, context?: AttentionContext) => Tensor;

/**
 * Multi-head attention with its four projections (biases included), of which the first three are one product, or two
 * where keys and values come from elsewhere.
 * Parameters: those of dense layers `<name>/inputs` (q, k and v side by side), or `<name>/queries` and `<name>/memory`
 * (k and v), and `<name>/output`.
 */
export function multiHeadAttention(heads: number, options: MultiHeadAttentionOptions = {}): AttentionLayer {
  const { causal = false, kernelInitializer = 'glorotUniform', kernelRegularizer } = options;
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
    const attended = x.graph.add({
      layer,
      op: 'attention',
      inputs: mask === undefined ? inputs : [...inputs, mask],
      attributes: { heads, causal, masked: mask !== undefined },
    });
    return project('output', attended, width);
  };
}
