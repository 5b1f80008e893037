/*
 * Fusions: two ops in one kernel call. The op files know nothing of it, and neither do the bits: a product with an
 * activation in its epilogue applies the same function to the same number, it only spares a pass over memory.
 */
import type { KernelName } from '../kernels/tape.js';
import type { ComputeNode, Network } from './network.js';
import type { KernelSink } from './ops/op.js';
import type { OpName } from './ops/table.js';

/** Codes of the activations that the kernels of products can apply to their results. */
const EPILOGUES: Partial<Record<OpName, number>> = { relu: 1 };
/** Ops whose forward pass is one call of such a kernel. */
const PRODUCTS: readonly OpName[] = ['conv2d', 'conv2dTranspose', 'dense'];
const KERNELS_WITH_EPILOGUE: readonly KernelName[] = ['convolution', 'convolutionTransposed', 'matmul'];

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

/** Stands before a tape and has every product apply an activation. */
export function withEpilogue(to: KernelSink, activation: number): KernelSink {
  return {
    emit: (name, args) =>
      to.emit(name, KERNELS_WITH_EPILOGUE.includes(name) ? { ...args, activation } : args),
  };
}
