/*
 * Backprop: the graph in reverse. The error term of a value is dL/dvalue; a node computes the error terms of its inputs
 * from that of its output. A value with several readers gets one contribution from each; they are added from the last
 * reader to the first, an order that depends only on the model.
 */
import { assert } from '../errors.js';
import { elementsOf } from '../graph/shape.js';
import type { TrainingRows } from './batch-rows.js';
import { type Compilation, type ForwardTensors, opCall } from './forward.js';
import { type Derivative, findDerivatives, withActivation } from './fusion.js';
import { type BackwardNode, compileParameterGradient, type ParameterUse } from './parameter-gradients.js';
import { type Program, present, type RowTensor } from './program.js';
import type { ReachableGraph } from './reachable-graph.js';

/**
 * Appends the instructions that compute the gradient of every parameter.
 * @param dResult error term of the result of the graph
 * @param isFused whether pools may apply the derivative of the activation before them
 * @returns the error term of the output of each node, by the name of the node
 */
export function compileBackward(
  program: Program<TrainingRows>,
  graph: ReachableGraph,
  compilation: Compilation,
  { values, saved }: ForwardTensors,
  dResult: RowTensor,
  isFused = true,
): ReadonlyMap<string, RowTensor> {
  const errors = new Map<string, RowTensor>();
  const contributions = new Map<string, RowTensor[]>([[graph.result, [dResult]]]);
  const contribute = (value: string, term: RowTensor): void => {
    contributions.set(value, [...(contributions.get(value) ?? []), term]);
  };
  const derivatives = isFused ? findDerivatives(graph) : new Map<string, Derivative>();
  const applied = new Set([...derivatives.values()].map(({ of }) => of));
  const uses = new PendingUses(graph);
  for (const entry of [...graph.nodes].reverse()) {
    if (!graph.trained.has(entry.node.name)) continue;
    const dy = compileSum(program, contributions.get(entry.node.name) ?? []);
    errors.set(entry.node.name, dy);
    const { inputs, output } = entry.op.backwardReads;
    const x = entry.inputs.map((input) => (inputs ? values.get(input) : undefined));
    const y = output ? values.get(entry.node.name) : undefined;
    const node = { entry, dy, x, y, saved: saved.get(entry.node.name) ?? [] };
    const terms = applied.has(entry.node.name)
      ? [dy]
      : compileErrorTerms(program, graph, compilation, node, derivatives.get(entry.node.name));
    terms.forEach((term, i) => {
      if (term !== undefined) contribute(entry.inputs[i] as string, term);
    });
    for (const [role, name] of Object.entries(entry.node.parameters)) {
      if (graph.frozen.has(name)) continue;
      const complete = uses.add(name, { ...node, role });
      if (complete !== undefined) compileParameterGradient(program, compilation, name, complete);
    }
  }
  return errors;
}

/** The error terms of the inputs of a node; undefined for those that need none, such as the inputs of the model. */
function compileErrorTerms(
  program: Program<TrainingRows>,
  graph: ReachableGraph,
  compilation: Compilation,
  node: BackwardNode,
  derivative: Derivative | undefined,
): (RowTensor | undefined)[] {
  const { entry, dy, x, y, saved } = node;
  const { op } = entry;
  const areNeeded = entry.inputs.map((input) => graph.trained.has(input));
  if (op.errorTerm === 'passed') return areNeeded.map((isNeeded) => (isNeeded ? dy : undefined));
  const dx = areNeeded.map((isNeeded, i) =>
    isNeeded ? program.rowTensor(elementsOf(entry.node.inputShapes[i] ?? [])) : undefined,
  );
  const writes = present(dx);
  if (writes.length === 0 && !op.gradientsFollowBackward) return dx;
  program.add({
    reads: present([dy, ...x, y, ...saved]),
    writes,
    replaces: op.errorTerm === 'replaced' ? [dy] : [],
    emit(to, context) {
      const terms = dx.map((tensor) => context.at(tensor)) as unknown as readonly [number, ...number[]];
      const sink = derivative === undefined ? to : withActivation(to, derivative.activation);
      op.backward(sink, { ...opCall(entry, node, context, compilation), dy: context.at(dy), dx: terms });
    },
  });
  return dx;
}

/** Adds the contributions of several readers of a value, from left to right. */
function compileSum(program: Program<TrainingRows>, [first, ...others]: readonly RowTensor[]): RowTensor {
  assert(first !== undefined, 'a node of the graph has no reader');
  return others.reduce((a, b) => {
    const out = program.rowTensor(a.elements);
    program.add({
      reads: [a, b],
      writes: [out],
      replaces: [a, b],
      emit(to, context) {
        const n = context.range.rows * out.elements;
        to.emit('addVectors', { out: context.at(out), a: context.at(a), b: context.at(b), n });
      },
    });
    return out;
  }, first);
}

/** Collects the uses of each parameter until all of them have been visited, in reverse order. */
class PendingUses {
  private readonly uses = new Map<string, ParameterUse[]>();
  private readonly counts = new Map<string, number>();

  constructor({ nodes }: ReachableGraph) {
    for (const { node } of nodes) {
      for (const name of Object.values(node.parameters))
        this.counts.set(name, (this.counts.get(name) ?? 0) + 1);
    }
  }

  /** Adds a use of a parameter; returns all its uses when they are complete. */
  add(name: string, use: ParameterUse): readonly ParameterUse[] | undefined {
    const uses = [...(this.uses.get(name) ?? []), use];
    this.uses.set(name, uses);
    return uses.length === this.counts.get(name) ? uses : undefined;
  }
}
