/*
 * Backprop: the network in reverse. Each value's error term is dL/dvalue; a node turns that of its output into those of
 * its inputs. A value with several readers gets one contribution from each; they are added from the last reader to the
 * first, an order that the model alone decides.
 */
import { assert } from '../errors.js';
import { type Compilation, type ForwardTensors, opCall } from './forward.js';
import { type Derivative, findDerivatives, withActivation } from './fusion.js';
import type { Job } from './job.js';
import type { Network } from './network.js';
import { type BackwardNode, compileParameterGradient, type ParameterUse } from './parameter-gradients.js';
import type { Program, RowTensor } from './program.js';
import { elementsOf } from './shape.js';

/**
 * Appends the instructions that compute every parameter's gradient.
 * @param dResult error term of the network's result
 * @param isFused whether pools may apply the derivative of the activation before them
 * @returns the error term of each node's output, by the node's name
 */
export function compileBackward(
  program: Program<Job>,
  network: Network,
  compilation: Compilation,
  { values, saved: keeps }: ForwardTensors,
  dResult: RowTensor,
  isFused = true,
): ReadonlyMap<string, RowTensor> {
  const errors = new Map<string, RowTensor>();
  const contributions = new Map<string, RowTensor[]>([[network.result, [dResult]]]);
  const contribute = (value: string, term: RowTensor): void => {
    contributions.set(value, [...(contributions.get(value) ?? []), term]);
  };
  const derivatives = isFused ? findDerivatives(network) : new Map<string, Derivative>();
  const applied = new Set([...derivatives.values()].map(({ of }) => of));
  const uses = new PendingUses(network);
  for (const entry of [...network.nodes].reverse()) {
    if (!network.trained.has(entry.node.name)) continue;
    const dy = compileSum(program, contributions.get(entry.node.name) ?? []);
    errors.set(entry.node.name, dy);
    const { inputs, output } = entry.op.backwardReads;
    const x = entry.inputs.map((input) => (inputs ? values.get(input) : undefined));
    const y = output ? values.get(entry.node.name) : undefined;
    const node = { entry, dy, x, y, saved: keeps.get(entry.node.name) ?? [] };
    const terms = applied.has(entry.node.name)
      ? [dy]
      : compileErrorTerms(program, network, compilation, node, derivatives.get(entry.node.name));
    terms.forEach((term, i) => {
      if (term !== undefined) contribute(entry.inputs[i] as string, term);
    });
    for (const [role, name] of Object.entries(entry.node.parameters)) {
      const complete = uses.add(name, { ...node, role });
      if (complete !== undefined) compileParameterGradient(program, compilation, name, complete);
    }
  }
  return errors;
}

/** The error terms of a node's inputs; undefined for those that need none, such as the model's inputs. */
function compileErrorTerms(
  program: Program<Job>,
  network: Network,
  compilation: Compilation,
  node: BackwardNode,
  derivative: Derivative | undefined,
): (RowTensor | undefined)[] {
  const { entry, dy, x, y, saved } = node;
  const { op } = entry;
  const isWanted = entry.inputs.map((input) => network.trained.has(input));
  if (op.errorTerm === 'passed') return isWanted.map((wanted) => (wanted ? dy : undefined));
  const dx = isWanted.map((wanted, i) =>
    wanted ? program.rowTensor(elementsOf(entry.node.inputShapes[i] ?? [])) : undefined,
  );
  const writes = present(dx);
  if (writes.length === 0 && !op.gradientsFollowBackward) return dx;
  program.add({
    reads: present([dy, ...x, y, ...saved]),
    writes,
    replaces: op.errorTerm === 'replaced' ? [dy] : [],
    emit(to, frame) {
      const terms = dx.map((tensor) => frame.at(tensor)) as unknown as readonly [number, ...number[]];
      const sink = derivative === undefined ? to : withActivation(to, derivative.activation);
      op.backward(sink, { ...opCall(entry, node, frame, compilation), dy: frame.at(dy), dx: terms });
    },
  });
  return dx;
}

/** Adds up what several readers of a value contributed, from left to right. */
function compileSum(program: Program<Job>, [first, ...others]: readonly RowTensor[]): RowTensor {
  assert(first !== undefined, 'a node of the network leads nowhere');
  return others.reduce((a, b) => {
    const out = program.rowTensor(a.elements);
    program.add({
      reads: [a, b],
      writes: [out],
      replaces: [a, b],
      emit(to, frame) {
        const n = frame.job.rows * out.elements;
        to.emit('addVectors', { out: frame.at(out), a: frame.at(a), b: frame.at(b), n });
      },
    });
    return out;
  }, first);
}

/** Collects the uses of each parameter until the last one, in reverse order, has been met. */
class PendingUses {
  private readonly uses = new Map<string, ParameterUse[]>();
  private readonly counts = new Map<string, number>();

  constructor({ nodes }: Network) {
    for (const { node } of nodes) {
      for (const name of Object.values(node.parameters))
        this.counts.set(name, (this.counts.get(name) ?? 0) + 1);
    }
  }

  /** All uses of the parameter, once this was the last that was missing. */
  add(name: string, use: ParameterUse): readonly ParameterUse[] | undefined {
    const uses = [...(this.uses.get(name) ?? []), use];
    this.uses.set(name, uses);
    return uses.length === this.counts.get(name) ? uses : undefined;
  }
}

function present(tensors: readonly (RowTensor | undefined)[]): RowTensor[] {
  return [...new Set(tensors.filter((tensor) => tensor !== undefined))];
}
