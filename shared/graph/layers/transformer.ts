/*
 * Transformer blocks with normalisation before each part ("pre-norm", as in GPT-2):
 *
 *     x = x + attention(norm(x))      x = x + attention(norm(x), memory)      x = x + feedForward(norm(x))
 *
 * The middle part exists only with a memory. Dropout applies to what is added.
 */

import type { Layer, LayerIdentity, Tensor } from '../graph.js';
import type { InitializerName } from '../initializers.js';
import { checkLayerOptions } from '../layer-options.js';
import type { Regularizer } from '../regularizers.js';
import type { ActivationName } from './activation.js';
import { dense } from './dense.js';
import { dropout } from './dropout.js';
import { layerNormalization } from './layer-normalization.js';
import { add, multiply } from './merge.js';
import { type AttentionLayer, multiHeadAttention } from './multi-head-attention.js';
import { partsOf } from './parts.js';

export interface FeedForwardOptions {
  /** Default: gelu. */
  readonly activation?: ActivationName;
  /** Default: glorotUniform. */
  readonly kernelInitializer?: InitializerName;
  /** Penalty of each kernel. Default: none. */
  readonly kernelRegularizer?: Regularizer | undefined;
  readonly name?: string;
}

/** Two dense layers at each position, with `units` units between them. Parts: `<name>/inner`, `<name>/outer`. */
export function feedForward(units: number, options: FeedForwardOptions = {}): Layer {
  checkLayerOptions('feedForward()', options, [
    'activation',
    'kernelInitializer',
    'kernelRegularizer',
    'name',
  ]);
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

/**
 * A gated feed-forward part (Shazeer, "GLU variants improve Transformer", 2020), at each position: the product of a dense layer
 * with SiLU and of another one, and a dense layer after them. No biases. Parts: `<name>/gate`, `<name>/value`, `<name>/output`.
 * @param units of the two layers before the product
 */
export function swiGlu(
  units: number,
  options: Pick<FeedForwardOptions, 'kernelInitializer' | 'kernelRegularizer' | 'name'> = {},
): Layer {
  checkLayerOptions('swiGlu()', options, ['kernelInitializer', 'kernelRegularizer', 'name']);
  const { kernelInitializer = 'glorotUniform', kernelRegularizer } = options;
  const kernel = { kernelInitializer, kernelRegularizer, useBias: false };
  const part = partsOf({ kind: 'swiGlu', name: options.name });
  return (x) => {
    const { graph } = x;
    const width = x.shape.at(-1) ?? 1;
    const gate = part(graph, 'gate', (name) => dense(units, { name, activation: 'silu', ...kernel }));
    const value = part(graph, 'value', (name) => dense(units, { name, ...kernel }));
    const output = part(graph, 'output', (name) => dense(width, { name, ...kernel }));
    const product = part(graph, 'product', (name) => multiply({ name }));
    return output(product([gate(x), value(x)]));
  };
}

export interface TransformerBlockOptions extends FeedForwardOptions {
  /** Whether a position sees only itself and the positions before it. Default: false. */
  readonly causal?: boolean;
  /** Fraction of the output of each part that is dropped in training; see dropout. Default: 0. */
  readonly dropout?: number;
}

/**
 * A Transformer block: of an encoder; with `causal`, of a decoder; with a `memory`, of a decoder that attends to the output
 * of an encoder. A mask hides padding in the memory, or without a memory, in the sequence itself.
 * Parts: `<name>/attention`, `<name>/memoryAttention`, `<name>/feedForward`; `<part>Norm` before each, `<part>Dropout` after it.
 */
export function transformerBlock(
  heads: number,
  units: number,
  options: TransformerBlockOptions = {},
): AttentionLayer {
  checkLayerOptions('transformerBlock()', options, [
    'activation',
    'kernelInitializer',
    'kernelRegularizer',
    'causal',
    'dropout',
    'name',
  ]);
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
      const withMemory = mask === undefined ? { memory } : { memory, mask };
      x = residual(x, 'memoryAttention', (normed) => attention('memoryAttention', false)(normed, withMemory));
    }
    const forward = part(graph, 'feedForward', (name) => feedForward(units, { name, activation, ...kernel }));
    return residual(x, 'feedForward', forward);
  };
}
