/*
 * A model seen as plans see it: which nodes lead to a result, which of them compute, where views lead, who reads whose
 * output, and which values have an error term.
 */
import type { KernelOp } from './ops/op.js';
import type { ResolvedModel, ResolvedNode } from './resolve.js';

/** A node that computes. Inputs are `values`: a view's name never appears, but the name of what it is a view of. */
export interface ComputeNode {
  readonly node: ResolvedNode;
  readonly op: KernelOp<unknown, string>;
  readonly inputs: readonly string[];
}

/** The part of a model that leads to one result. */
export interface Network {
  /** In an order in which they can be computed. */
  readonly nodes: readonly ComputeNode[];
  /** Model inputs that are needed. */
  readonly inputs: readonly string[];
  /** The value that is the result. */
  readonly result: string;
  /** How often each value is read, the result once more than by nodes. */
  readonly reads: ReadonlyMap<string, number>;
  /** Values that depend on a parameter: the others have no error term. */
  readonly trained: ReadonlySet<string>;
}

/**
 * The part of a model that leads to the value of `name`.
 * @param training whether ops that only training knows compute; else they are views
 */
export function networkOf({ model, nodes }: ResolvedModel, name: string, training: boolean): Network {
  const origins = new Map<string, string>();
  const originOf = (value: string): string => origins.get(value) ?? value;
  for (const node of nodes) {
    if (isView(node, training)) origins.set(node.name, originOf(node.inputs[0] as string));
  }
  const result = originOf(name);
  const needed = new Set([result]);
  const compute: ComputeNode[] = [];
  for (const node of [...nodes].reverse()) {
    const op = node.definition;
    if (op.kind === 'view' || isView(node, training) || !needed.has(node.name)) continue;
    const inputs = node.inputs.map(originOf);
    for (const input of inputs) needed.add(input);
    compute.unshift({ node, op, inputs });
  }
  const reads = new Map([[result, 1]]);
  const trained = new Set<string>();
  for (const { node, inputs } of compute) {
    for (const input of inputs) reads.set(input, (reads.get(input) ?? 0) + 1);
    const hasParameters = Object.keys(node.parameters).length > 0;
    if (hasParameters || inputs.some((input) => trained.has(input))) trained.add(node.name);
  }
  const inputs = model.inputs.map((input) => input.name).filter((input) => needed.has(input));
  return { nodes: compute, inputs, result, reads, trained };
}

function isView({ definition }: ResolvedNode, training: boolean): boolean {
  return definition.kind === 'view' || (definition.trainingOnly === true && !training);
}
