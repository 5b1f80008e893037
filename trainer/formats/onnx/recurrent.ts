/*
 * Recurrent ops. ONNX's own operators have no mask for single steps, so a masked layer is written step by step.
 */

import { concatenated } from '../../../shared/concatenated.js';
import type { RecurrentAttributes } from '../recurrent-attributes.js';
import { reordered } from '../reordered.js';
import type { GraphWriter, Name } from './graph-writer.js';
import { constant, type NodeUse, needed, type OpWriter } from './node-use.js';

/** What a layer computes: its output at each step, and its states after the last. */
interface Computed {
  /** [batch, steps, units] */
  readonly sequence: () => Name;
  /** h, and c of an LSTM: [batch, units] */
  readonly states: readonly Name[];
}

/** A kind of recurrent layer. */
interface Kind {
  readonly op: string;
  /** For each block of gates of ONNX, the block here. */
  readonly gates: readonly number[];
  readonly states: number;
  readonly attributes?: Readonly<Record<string, number>>;
  /** The states after a step. @param z x W + b of the step, [batch, gates * units] */
  step(to: GraphWriter, use: NodeUse, z: Name, states: readonly Name[]): readonly Name[];
}

export const lstm: OpWriter = recurrent({
  op: 'LSTM',
  gates: [0, 3, 1, 2],
  states: 2,
  step(to, use, z, [h, c]) {
    const { name } = use.node;
    const sum = to.add('Add', name, [z, product(to, use, h as Name)]);
    const [i, f, g, o] = gatesOf(to, use, sum, 4) as [Name, Name, Name, Name];
    const sigmoid = (x: Name): Name => to.add('Sigmoid', name, [x]);
    const kept = to.add('Mul', name, [sigmoid(f), c as Name]);
    const cell = to.add('Add', name, [kept, to.add('Mul', name, [sigmoid(i), to.add('Tanh', name, [g])])]);
    return [to.add('Mul', name, [sigmoid(o), to.add('Tanh', name, [cell])]), cell];
  },
});

export const gru: OpWriter = recurrent({
  op: 'GRU',
  gates: [0, 1, 2],
  states: 1,
  attributes: { linear_before_reset: 1 },
  step(to, use, p, [h]) {
    const { name } = use.node;
    const before = h as Name;
    const s = to.add('Add', name, [product(to, use, before), constant(to, needed(use, 'recurrentBias'))]);
    const [pz, pr, pn] = gatesOf(to, use, p, 3) as [Name, Name, Name];
    const [sz, sr, sn] = gatesOf(to, use, s, 3) as [Name, Name, Name];
    const gate = (a: Name, b: Name): Name => to.add('Sigmoid', name, [to.add('Add', name, [a, b])]);
    const [z, r] = [gate(pz, sz), gate(pr, sr)];
    const n = to.add('Tanh', name, [to.add('Add', name, [pn, to.add('Mul', name, [r, sn])])]);
    // n + z (h - n)
    const moved = to.add('Mul', name, [z, to.add('Sub', name, [before, n])]);
    return [to.add('Add', name, [n, moved])];
  },
});

export const simpleRnn: OpWriter = recurrent({
  op: 'RNN',
  gates: [0],
  states: 1,
  step(to, use, z, [h]) {
    const { name } = use.node;
    return [to.add('Tanh', name, [to.add('Add', name, [z, product(to, use, h as Name)])])];
  },
});

function recurrent(kind: Kind): OpWriter {
  return (to, use) => {
    const { node } = use;
    const { returnSequences, returnCell = false, masked } = node.attributes as RecurrentAttributes;
    const { sequence, states } = masked ? unrolled(to, use, kind) : computed(to, use, kind);
    const [h, c] = states as readonly [Name, Name?];
    if (!returnCell || c === undefined) return returnSequences ? sequence() : h;
    const rows = returnSequences ? sequence() : to.unsqueeze(node.name, h, 1);
    return to.add('Concat', node.name, [rows, to.unsqueeze(node.name, c, 1)], { axis: 1 });
  };
}

/** By ONNX's own operator, which has the time as first axis. */
function computed(to: GraphWriter, use: NodeUse, { op, gates, states, attributes }: Kind): Computed {
  const { node, inputs } = use;
  const { name } = node;
  const { units, reverse, initialState } = node.attributes as RecurrentAttributes;
  const blocks = (role: string): Float32Array => {
    const { values, shape } = needed(use, role);
    const columns = reordered(values, shape, [1, 0]);
    const size = columns.length / gates.length;
    return concatenated(
      Float32Array,
      gates.map((gate) => columns.subarray(gate * size, (gate + 1) * size)),
    );
  };
  const biases = ['bias', 'recurrentBias'].map((role) => {
    const weight = use.weight(role);
    if (weight === undefined) return new Float32Array(gates.length * units);
    return concatenated(
      Float32Array,
      gates.map((gate) => weight.values.subarray(gate * units, (gate + 1) * units)),
    );
  });
  const [features, width] = needed(use, 'kernel').shape as readonly [number, number];
  const given = initialState ? inputs.slice(1) : [];
  const result = to.several(
    op,
    name,
    [
      to.transpose(name, inputs[0], [1, 0, 2]),
      to.floats(`${name}:W`, [1, width, features], blocks('kernel')),
      to.floats(`${name}:R`, [1, width, units], blocks('recurrentKernel')),
      to.floats(`${name}:B`, [1, 2 * width], concatenated(Float32Array, biases)),
      ...(given.length === 0 ? [] : ['', ...given.map((state) => to.unsqueeze(name, state, 0))]),
    ],
    1 + states,
    { hidden_size: units, ...(reverse && { direction: 'reverse' }), ...attributes },
  );
  const [y, ...last] = result;
  return {
    sequence: () => to.transpose(name, to.squeeze(name, y, 1), [1, 0, 2]),
    states: last.map((state) => to.squeeze(name, state, 0)),
  };
}

/** Step by step: where the mask is 0, states stay as they are. */
function unrolled(to: GraphWriter, use: NodeUse, { states: count, step }: Kind): Computed {
  const { node, inputs } = use;
  const { name, inputShapes } = node;
  const { units, reverse, initialState } = node.attributes as RecurrentAttributes;
  const [steps = 0] = inputShapes[0];
  const [x, mask] = inputs;
  const kernel = constant(to, needed(use, 'kernel'));
  const z = to.add('Add', name, [to.add('MatMul', name, [x, kernel]), constant(to, needed(use, 'bias'))]);
  const isPresent = to.add('Not', name, [to.add('Equal', name, [mask as Name, to.number(0)])]);
  // A row of zeros for each sample of the batch.
  const column = to.slice(name, mask as Name, 1, 0, 1);
  const zero = to.add('Mul', name, [column, to.number(0)]);
  const zeros = to.add('Tile', name, [zero, to.integers([1, units])]);
  let states: readonly Name[] = initialState ? inputs.slice(2) : Array.from({ length: count }, () => zeros);
  const outputs = new Array<Name>(steps);
  for (let i = 0; i < steps; i++) {
    const at = reverse ? steps - 1 - i : i;
    const next = step(to, use, to.squeeze(name, to.slice(name, z, 1, at, at + 1), 1), states);
    const present = to.slice(name, isPresent, 1, at, at + 1);
    states = next.map((state, s) => to.add('Where', name, [present, state, states[s] as Name]));
    outputs[at] = states[0] as Name;
  }
  return {
    sequence: () =>
      to.add(
        'Concat',
        name,
        outputs.map((output) => to.unsqueeze(name, output, 1)),
        { axis: 1 },
      ),
    states,
  };
}

function product(to: GraphWriter, use: NodeUse, h: Name): Name {
  return to.add('MatMul', use.node.name, [h, constant(to, needed(use, 'recurrentKernel'))]);
}

function gatesOf(to: GraphWriter, { node }: NodeUse, z: Name, count: number): Name[] {
  const { units } = node.attributes as RecurrentAttributes;
  return Array.from({ length: count }, (_, gate) =>
    to.slice(node.name, z, 1, gate * units, (gate + 1) * units),
  );
}
