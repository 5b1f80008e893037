/*
 * Fusions: two ops in one kernel call. The op files do not depend on them, and they do not change the bits: a product with
 * an activation in its epilogue, or a pool with the derivative of one, applies the same function to the same number. They
 * save a pass over memory.
 */

import type { KernelSink } from '../graph/ops/op.js';
import type { OpName } from '../graph/ops/table.js';
import type { KernelName } from '../kernels/command-buffer.js';
import type { ComputeNode, ReachableGraph } from './reachable-graph.js';

/** Codes of the activations that the kernels of products can apply to their results. */
const EPILOGUES: Partial<Record<OpName, number>> = { relu: 1 };
/** Ops whose forward pass is one call of such a kernel. */
const PRODUCTS: readonly OpName[] = ['conv2d', 'conv2dTranspose', 'dense'];
/** Kernels that take such a code: products, for their results, and the backward pass of a pool, for the derivative. */
const KERNELS: readonly KernelName[] = ['convolution', 'convolutionTransposed', 'matmul', 'maxPoolBackward'];

/** An activation that is computed by the product before it. */
export interface Epilogue {
  readonly consumer: ComputeNode;
  readonly activation: number;
}

/**
 * Finds the activations that can be computed in the epilogue of the product before them: no other node may read the result
 * of the product, neither forward nor backward.
 * @returns by the name of the node of the product
 */
export function findEpilogues({ nodes, reads }: ReachableGraph): ReadonlyMap<string, Epilogue> {
  const byName = new Map(nodes.map((entry) => [entry.node.name, entry]));
  const found = new Map<string, Epilogue>();
  for (const consumer of nodes) {
    const activation = EPILOGUES[consumer.node.op];
    const product = byName.get(consumer.inputs[0] as string);
    if (activation === undefined || product === undefined || !PRODUCTS.includes(product.node.op)) continue;
    const isNeededElsewhere = reads.get(product.node.name) !== 1;
    const isReadBackward = product.op.backwardReads.output || consumer.op.backwardReads.inputs;
    if (!isNeededElsewhere && !isReadBackward) found.set(product.node.name, { consumer, activation });
  }
  return found;
}

/** An activation whose derivative is applied by another op. */
export interface Derivative {
  /** Name of the node of the activation. */
  readonly of: string;
  readonly activation: number;
}

/**
 * Finds the activations whose derivative the backward pass of their only reader can apply: a max pool, which reads the
 * result of the activation anyway.
 * @returns by the name of the node of the reader
 */
export function findDerivatives({ nodes, reads }: ReachableGraph): ReadonlyMap<string, Derivative> {
  const activations = new Map(nodes.map(({ node }) => [node.name, EPILOGUES[node.op]]));
  const found = new Map<string, Derivative>();
  for (const { node, inputs } of nodes) {
    const of = inputs[0] as string;
    const activation = activations.get(of);
    const isNeededElsewhere = reads.get(of) !== 1;
    if (node.op !== 'maxPool' || activation === undefined || isNeededElsewhere) continue;
    found.set(node.name, { of, activation });
  }
  return found;
}

/** Wraps a sink so that every kernel that can apply an activation, or its derivative, does so. */
export function withActivation(to: KernelSink, activation: number): KernelSink {
  return { emit: (name, args) => to.emit(name, KERNELS.includes(name) ? { ...args, activation } : args) };
}
