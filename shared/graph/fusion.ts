/*
 * Fusions: two ops in one kernel call. The op files know nothing of it, and neither do the bits: a product with an
 * activation in its epilogue, or a pool with the derivative of one, applies the same function to the same number; it
 * only spares a pass over memory.
 */
import type { KernelName } from '../kernels/tape.js';
import type { ComputeNode, Network } from './network.js';
import type { KernelSink } from './ops/op.js';
import type { OpName } from './ops/table.js';

/** Codes of the activations that the kernels of products can apply to their results. */
const EPILOGUES: Partial<Record<OpName, number>> = { relu: 1 };
/** Ops whose forward pass is one call of such a kernel. */
const PRODUCTS: readonly OpName[] = ['conv2d', 'conv2dTranspose', 'dense'];
/** Kernels that take such a code: products, for their results, and a pool's backward pass, for the derivative. */
const KERNELS: readonly KernelName[] = ['convolution', 'convolutionTransposed', 'matmul', 'maxPoolBackward'];

/** An op that its input's product takes over. */
export interface Epilogue {
  readonly consumer: ComputeNode;
  readonly activation: number;
}

/**
 * Finds the activations that can be computed in the epilogue of the product before them: nobody else may need the
 * product's own result, neither forward nor backward.
 * @returns by the name of the product's node
 */
export function findEpilogues({ nodes, reads }: Network): ReadonlyMap<string, Epilogue> {
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

/** An activation whose derivative another op takes over. */
export interface Derivative {
  /** Name of the activation's node. */
  readonly of: string;
  readonly activation: number;
}

/**
 * Finds the activations whose derivative the backward pass of their only reader can apply: a max pool, which has the
 * activation's result at hand anyway.
 * @returns by the name of the reader's node
 */
export function findDerivatives({ nodes, reads }: Network): ReadonlyMap<string, Derivative> {
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

/** Stands before a tape and has every kernel that can apply an activation, or its derivative. */
export function withActivation(to: KernelSink, activation: number): KernelSink {
  return { emit: (name, args) => to.emit(name, KERNELS.includes(name) ? { ...args, activation } : args) };
}
