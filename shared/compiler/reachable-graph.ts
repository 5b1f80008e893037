/*
 * The part of a model that leads to a result: the nodes that compute it with views resolved, how often each value is read,
 * and which values have an error term.
 */
import type { KernelOp } from '../graph/ops/op.js';
import { frozenParameters, isFrozen, type ResolvedModel, type ResolvedNode } from '../graph/resolve.js';

/** A node that computes. Inputs are names of values; instead of a view its source is named. */
export interface ComputeNode {
  readonly node: ResolvedNode;
  readonly op: KernelOp<unknown, string>;
  readonly inputs: readonly string[];
  /** Whether it has parameters, and all of them are frozen. */
  readonly isFrozen: boolean;
}

/** The part of a model that leads to one result. */
export interface ReachableGraph {
  /** In topological order. */
  readonly nodes: readonly ComputeNode[];
  /** Model inputs and fields of the loss that are needed. */
  readonly inputs: readonly string[];
  /** The name of the result. */
  readonly result: string;
  /** How often each value is read by nodes; one more for the result. */
  readonly reads: ReadonlyMap<string, number>;
  /** Values that depend on a parameter that changes; other values have no error term. */
  readonly trained: ReadonlySet<string>;
  /** Names of parameters that keep their initial values. */
  readonly frozen: ReadonlySet<string>;
}

/**
 * The part of a model that leads to the value `name`.
 * @param training whether ops that exist only in training compute; else they are views
 */
export function reachableGraph(
  { model, nodes }: ResolvedModel,
  name: string,
  training: boolean,
): ReachableGraph {
  const origins = new Map<string, string>();
  const originOf = (value: string): string => origins.get(value) ?? value;
  for (const node of nodes) {
    if (isView(node, training)) origins.set(node.name, originOf(node.inputs[0] as string));
  }
  const result = originOf(name);
  const frozen = frozenParameters(model);
  const needed = new Set([result]);
  const compute: ComputeNode[] = [];
  for (const node of [...nodes].reverse()) {
    const op = node.definition;
    if (op.kind === 'view' || isView(node, training) || !needed.has(node.name)) continue;
    const inputs = node.inputs.map(originOf);
    for (const input of inputs) needed.add(input);
    compute.unshift({ node, op, inputs, isFrozen: isFrozen(node, frozen) });
  }
  const reads = new Map([[result, 1]]);
  const trained = new Set<string>();
  for (const { node, inputs } of compute) {
    for (const input of inputs) reads.set(input, (reads.get(input) ?? 0) + 1);
    const learns = Object.values(node.parameters).some((parameter) => !frozen.has(parameter));
    if (learns || inputs.some((input) => trained.has(input))) trained.add(node.name);
  }
  const inputs = [...model.inputs, ...(model.fields ?? [])]
    .map((input) => input.name)
    .filter((input) => needed.has(input));
  return { nodes: compute, inputs, result, reads, trained, frozen };
}

function isView({ definition }: ResolvedNode, training: boolean): boolean {
  return definition.kind === 'view' || (definition.trainingOnly === true && !training);
}
