/*
 * Transformer blocks with the normalisation in front ("pre-norm", as GPT-2 has it):
 *
 *     x = x + attention(norm(x))      x = x + attention(norm(x), memory)      x = x + feedForward(norm(x))
 *
 * the middle part only where there is a memory to look at, and with dropout of what is added.
 */
import type { Layer, LayerIdentity, Tensor } from '../graph.js';
import type { InitializerName } from '../initializers.js';
import type { Regularizer } from '../regularizers.js';
import type { ActivationName } from './activation.js';
import { dense } from './dense.js';
import { dropout } from './dropout.js';
import { layerNormalization } from './layer-normalization.js';
import { add } from './merge.js';
import { type AttentionLayer, multiHeadAttention } from './multi-head-attention.js';
import { partsOf } from './parts.js';

export interface FeedForwardOptions {
  /** Default: gelu. */
  readonly activation?: ActivationName;
  /** Default: glorotUniform. */
  readonly kernelInitializer?: InitializerName;
  /** What each kernel adds to the loss by being large. Default: nothing. */
  readonly kernelRegularizer?: Regularizer | undefined;
  readonly name?: string;
}

/** Two dense layers at each position, `units` wide in between. Parts: `<name>/inner`, `<name>/outer`. */
export function feedForward(units: number, options: FeedForwardOptions = {}): Layer {
  const { activation = 'gelu', kernelInitializer = 'glorotUniform', kernelRegularizer } = options;
  const kernel = { kernelInitializer, kernelRegularizer };
  const part = partsOf({ kind: 'feedForward', name: options.name });
  return (x) => {
    const width = x.shape.at(-1) ?? 1;
    const inner = part(x.graph, 'inner', (name) => dense(units, { name, activation, ...kernel }));
    const outer = part(x.graph, 'outer', (name) => dense(width, { name, ...kernel }));
    return outer(inner(x));
  };
}

export interface TransformerBlockOptions extends FeedForwardOptions {
  /** Default: false. Whether a position sees only itself and those before it. */
  readonly causal?: boolean;
  /** Share of what each part adds that is dropped in training; see dropout. Default: 0. */
  readonly dropout?: number;
}

/**
 * A Transformer block: of an encoder; `causal`, of a decoder; given a `memory`, of a decoder that looks at an encoder's
 * output. A mask hides padding in the memory, or where there is none, in the sequence itself.
 * Parts: `<name>/attention`, `<name>/memoryAttention`, `<name>/feedForward`; `<part>Norm` before each, `<part>Dropout` after it.
 */
export function transformerBlock(
  heads: number,
  units: number,
  options: TransformerBlockOptions = {},
): AttentionLayer {
  const {
    causal = false,
    dropout: rate = 0,
    activation = 'gelu',
    kernelInitializer = 'glorotUniform',
    kernelRegularizer,
  } = options;
  const kernel = { kernelInitializer, kernelRegularizer };
  const owner: LayerIdentity = { kind: 'transformerBlock', name: options.name };
  const part = partsOf(owner);
  return (input, { memory, mask } = {}) => {
    const { graph } = input;
    const residual = (x: Tensor, name: string, apply: (x: Tensor) => Tensor): Tensor => {
      const norm = part(graph, `${name}Norm`, (full) => layerNormalization({ name: full }));
      const drop = part(graph, `${name}Dropout`, (full) => dropout(rate, { name: full }));
      return part(graph, `${name}Sum`, (full) => add({ name: full }))([x, drop(apply(norm(x)))]);
    };
    const attention = (name: string, isCausal: boolean): AttentionLayer =>
      part(graph, name, (full) => multiHeadAttention(heads, { name: full, causal: isCausal, ...kernel }));
    const context = memory === undefined && mask !== undefined ? { mask } : {};
    let x = residual(input, 'attention', (normed) => attention('attention', causal)(normed, context));
    if (memory !== undefined) {
      const beside = mask === undefined ? { memory } : { memory, mask };
      x = residual(x, 'memoryAttention', (normed) => attention('memoryAttention', false)(normed, beside));
    }
    const forward = part(graph, 'feedForward', (name) => feedForward(units, { name, activation, ...kernel }));
    return residual(x, 'feedForward', forward);
  };
}
