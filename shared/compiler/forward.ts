/*
 * The forward pass: computes the value of each node from the samples.
 */

import type { OpCall } from '../graph/ops/op.js';
import { elementsOf } from '../graph/shape.js';
import type { BatchRows } from './batch-rows.js';
import { emitGather, type FieldUse } from './data-fields.js';
import type { PlannedParameter } from './flat-vector.js';
import { type Epilogue, findEpilogues, withActivation } from './fusion.js';
import type { EmitContext, Program, RowTensor } from './program.js';
import type { ComputeNode, ReachableGraph } from './reachable-graph.js';

/** What all programs of a model share. */
export interface ModelParts {
  /** Model inputs, and fields that the loss reads as such, by name. */
  readonly inputs: ReadonlyMap<string, FieldUse>;
  readonly parameters: ReadonlyMap<string, PlannedParameter>;
  /** Start of the metric sums in a vector, in floats. */
  readonly gradientFloats: number;
}

/** The context in which one program of a model is compiled. */
export interface Compilation extends ModelParts {
  /** Whether the program is for training. */
  readonly training: boolean;
}

/** The results of a forward pass. */
export interface ForwardTensors {
  /** The row tensors of values by name. Values inside of a fusion have none. */
  readonly values: ReadonlyMap<string, RowTensor>;
  /** What nodes save for their backward pass, by name. */
  readonly saved: ReadonlyMap<string, readonly RowTensor[]>;
}

/**
 * Appends the instructions that compute a graph.
 * @param isFused whether products may apply activations, so that their own results are never stored
 */
export function compileForward<R extends BatchRows>(
  program: Program<R>,
  graph: ReachableGraph,
  compilation: Compilation,
  isFused = true,
): ForwardTensors {
  const values = new Map<string, RowTensor>();
  const savedByNode = new Map<string, readonly RowTensor[]>();
  for (const name of graph.inputs) {
    values.set(name, compileGather(program, compilation.inputs.get(name) as FieldUse));
  }
  const epilogues = isFused ? findEpilogues(graph) : new Map<string, Epilogue>();
  const fused = new Set([...epilogues.values()].map(({ consumer }) => consumer));
  for (const entry of graph.nodes) {
    if (fused.has(entry)) continue;
    const epilogue = epilogues.get(entry.node.name);
    const y = program.rowTensor(elementsOf(entry.node.shape));
    values.set((epilogue?.consumer ?? entry).node.name, y);
    const x = entry.inputs.map((input) => values.get(input) as RowTensor);
    const saved = savedFloats(entry).map((floats) => program.rowTensor(floats));
    savedByNode.set(entry.node.name, saved);
    program.add({
      reads: x,
      writes: [y, ...saved],
      parameters: Object.values(entry.node.parameters),
      emit(to, context) {
        const sink = epilogue === undefined ? to : withActivation(to, epilogue.activation);
        entry.op.forward(sink, opCall(entry, { x, y, saved }, context, compilation));
      },
    });
  }
  return { values, saved: savedByNode };
}

function savedFloats({ node, op }: ComputeNode): readonly number[] {
  return op.saved?.({ name: node.name, attributes: node.attributes, inputs: node.inputShapes }) ?? [];
}

/** Appends the instruction that gathers a field of the data. */
export function compileGather<R extends BatchRows>(program: Program<R>, use: FieldUse): RowTensor {
  const tensor = program.rowTensor(elementsOf(use.shape));
  program.add({
    reads: [],
    writes: [tensor],
    emit: (to, context) => emitGather(to, use, context.range, context.at(tensor)),
  });
  return tensor;
}

/** The arguments that all emitting functions of an op share. Missing tensors have the offset 0. */
export function opCall(
  { node, op, isFrozen }: ComputeNode,
  tensors: {
    readonly x: readonly (RowTensor | undefined)[];
    readonly y: RowTensor | undefined;
    readonly saved: readonly RowTensor[];
  },
  context: EmitContext<BatchRows>,
  { parameters, training: isTraining }: Compilation,
): OpCall<unknown, string> {
  const { data, first } = context.range;
  const weights = op.roles.map((role): [string, number] => {
    const parameter = parameters.get(node.parameters[role] ?? '');
    return [role, parameter === undefined ? 0 : context.range.weights + parameter.offset * 4];
  });
  // Frozen ops with batch statistics use their moving averages.
  const training = isTraining && !(op.averages !== undefined && isFrozen);
  return {
    rows: context.range.rows,
    attributes: node.attributes,
    inputs: node.inputShapes,
    output: node.shape,
    weights: Object.fromEntries(weights),
    x: tensors.x.map((tensor) => context.at(tensor)) as unknown as OpCall<unknown, string>['x'],
    y: context.at(tensors.y),
    saved: tensors.saved.map((tensor) => context.at(tensor)),
    training: training ? { seed: data.seed, name: node.name, cursor: data.cursor, first } : undefined,
  };
}
