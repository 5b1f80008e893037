/*
 * The forward pass: samples in, values out, node by node.
 */
import { emitGather, type FieldUse } from './fields.js';
import type { PlannedParameter } from './flat-vector.js';
import { type Epilogue, findEpilogues, withActivation } from './fusion.js';
import type { RowsJob } from './job.js';
import type { ComputeNode, Network } from './network.js';
import type { OpCall } from './ops/op.js';
import type { Frame, Program, RowTensor } from './program.js';
import { elementsOf } from './shape.js';

/** What is known of a model before its programs are made. */
export interface ModelParts {
  /** Model inputs by name. */
  readonly inputs: ReadonlyMap<string, FieldUse>;
  readonly parameters: ReadonlyMap<string, PlannedParameter>;
  /** Where metric sums begin in a vector. */
  readonly parameterFloats: number;
}

/** What is known of a model while one of its programs is made. */
export interface Compilation extends ModelParts {
  /** Whether the program is the one that trains. */
  readonly training: boolean;
}

/** What a forward pass leaves. */
export interface ForwardTensors {
  /** The row tensors of a network's values by name. Values that a fusion has swallowed have none. */
  readonly values: ReadonlyMap<string, RowTensor>;
  /** What nodes keep beside their values, by name. */
  readonly saved: ReadonlyMap<string, readonly RowTensor[]>;
}

/**
 * Appends the instructions that compute a network.
 * @param isFused whether products may take over activations, so that their own results are never written
 */
export function compileForward<J extends RowsJob>(
  program: Program<J>,
  network: Network,
  compilation: Compilation,
  isFused = true,
): ForwardTensors {
  const values = new Map<string, RowTensor>();
  const keeps = new Map<string, readonly RowTensor[]>();
  for (const name of network.inputs) {
    values.set(name, compileGather(program, compilation.inputs.get(name) as FieldUse));
  }
  const epilogues = isFused ? findEpilogues(network) : new Map<string, Epilogue>();
  const absorbed = new Set([...epilogues.values()].map(({ consumer }) => consumer));
  for (const entry of network.nodes) {
    if (absorbed.has(entry)) continue;
    const epilogue = epilogues.get(entry.node.name);
    const y = program.rowTensor(elementsOf(entry.node.shape));
    values.set((epilogue?.consumer ?? entry).node.name, y);
    const x = entry.inputs.map((input) => values.get(input) as RowTensor);
    const saved = savedFloats(entry).map((floats) => program.rowTensor(floats));
    keeps.set(entry.node.name, saved);
    program.add({
      reads: x,
      writes: [y, ...saved],
      emit(to, frame) {
        const sink = epilogue === undefined ? to : withActivation(to, epilogue.activation);
        entry.op.forward(sink, opCall(entry, { x, y, saved }, frame, compilation));
      },
    });
  }
  return { values, saved: keeps };
}

function savedFloats({ node, op }: ComputeNode): readonly number[] {
  return op.saved?.({ name: node.name, attributes: node.attributes, inputs: node.inputShapes }) ?? [];
}

/** Appends the instruction that gathers a field of the data. */
export function compileGather<J extends RowsJob>(program: Program<J>, use: FieldUse): RowTensor {
  const tensor = program.rowTensor(elementsOf(use.shape));
  program.add({
    reads: [],
    writes: [tensor],
    emit: (to, frame) => emitGather(to, use, frame.job, frame.at(tensor)),
  });
  return tensor;
}

/** What an op's emitting functions are told in any case. Tensors that are not given have the offset 0. */
export function opCall(
  { node, op }: ComputeNode,
  tensors: {
    readonly x: readonly (RowTensor | undefined)[];
    readonly y: RowTensor | undefined;
    readonly saved: readonly RowTensor[];
  },
  frame: Frame<RowsJob>,
  { parameters, training }: Compilation,
): OpCall<unknown, string> {
  const { data, first } = frame.job;
  const weights = op.roles.map((role): [string, number] => {
    const parameter = parameters.get(node.parameters[role] ?? '');
    return [role, parameter === undefined ? 0 : frame.job.weights + parameter.offset * 4];
  });
  return {
    rows: frame.job.rows,
    attributes: node.attributes,
    inputs: node.inputShapes,
    output: node.shape,
    weights: Object.fromEntries(weights),
    x: tensors.x.map((tensor) => frame.at(tensor)) as unknown as OpCall<unknown, string>['x'],
    y: frame.at(tensors.y),
    saved: tensors.saved.map((tensor) => frame.at(tensor)),
    training: training ? { seed: data.seed, name: node.name, cursor: data.cursor, first } : undefined,
  };
}
