/*
 * LSTM, GRU and RNN of ONNX, which have the time before the batch, and blocks of gates in another order.
 */
import type { Tensor } from '../../../../shared/graph/graph.js';
import { reordered } from '../../reordered.js';
import { Untranslatable } from '../../untranslatable.js';
import { type Constant, constantOf, isConstant, type Operand, tensorOf, type Value } from './operands.js';
import type { Operator, OperatorUse } from './operator.js';

/** A kind of recurrent layer. */
interface Kind {
  readonly op: 'lstm' | 'gru' | 'simpleRnn';
  /** For each gate of the network, the block of ONNX. */
  readonly blocks: readonly number[];
  readonly states: 1 | 2;
  readonly activations: readonly string[];
}

const LSTM: Kind = { op: 'lstm', blocks: [0, 2, 3, 1], states: 2, activations: ['Sigmoid', 'Tanh', 'Tanh'] };
const GRU: Kind = { op: 'gru', blocks: [0, 1, 2], states: 1, activations: ['Sigmoid', 'Tanh'] };
const RNN: Kind = { op: 'simpleRnn', blocks: [0], states: 1, activations: ['Tanh'] };

const recurrent =
  (kind: Kind): Operator =>
  (use) => {
    const { builder, inputs, attribute } = use;
    check(use, kind);
    const direction = (attribute('direction') as string | undefined) ?? 'forward';
    const directions = direction === 'bidirectional' ? [false, true] : [direction === 'reverse'];
    const x = builder.arranged(tensorOf(inputs[0]), [1, 0, 2]);
    const results = directions.map((reverse, i) => layer(use, kind, x, { reverse, place: i }));
    const joined = (parts: readonly Tensor[], axis: number): Tensor =>
      parts.length === 1
        ? (parts[0] as Tensor)
        : builder.add({ op: 'concatenate', inputs: parts, attributes: { axis } });
    const states = (pick: (result: (typeof results)[number]) => Tensor | undefined): Value | undefined => {
      const rows = results.map((result) => pick(result)).filter((row) => row !== undefined);
      if (rows.length === 0) return undefined;
      return { tensor: joined(rows, 0), order: [1, 0, 2] };
    };
    const sequences = results.map(({ y }) =>
      builder.reshape(y, [y.shape[0] as number, 1, y.shape[1] as number]),
    );
    return [
      use.isRead(0) ? { tensor: joined(sequences, 1), order: [1, 2, 0, 3] } : undefined,
      use.isRead(1) ? states(({ h }) => h()) : undefined,
      use.isRead(2) ? states(({ c }) => c?.()) : undefined,
    ];
  };

/** @throws Untranslatable for settings that the network's layers do not have */
function check({ inputs, attribute }: OperatorUse, { op, states, activations }: Kind): void {
  if (inputs[4] !== undefined) throw new Untranslatable('sequence_lens');
  if (inputs[7] !== undefined && op === 'lstm') throw new Untranslatable('peepholes');
  for (const state of inputs.slice(5, 5 + states))
    if (state !== undefined && !isZero(state)) throw new Untranslatable('an initial state other than zeros');
  if (
    attribute('clip') !== undefined ||
    (attribute('layout') ?? 0) !== 0 ||
    (attribute('input_forget') ?? 0) !== 0
  )
    throw new Untranslatable('clip, layout or input_forget');
  const own = attribute('activations') as readonly string[] | undefined;
  if (own?.some((name, i) => name.toLowerCase() !== activations[i % activations.length]?.toLowerCase()))
    throw new Untranslatable(`activations ${own.join(', ')}`);
  if (op === 'gru' && attribute('linear_before_reset') !== 1)
    throw new Untranslatable('linear_before_reset 0');
}

function isZero(operand: Operand): boolean {
  return isConstant(operand) && operand.values.every((value) => value === 0);
}

/** One direction. */
function layer(
  { builder, inputs, isRead }: OperatorUse,
  { op, blocks, states }: Kind,
  x: Tensor,
  { reverse, place }: { readonly reverse: boolean; readonly place: number },
) {
  const [, W, R, B] = inputs;
  const kernel = constantOf(W, 'kernel');
  const [, rows = 0, features = 0] = kernel.shape;
  const units = rows / blocks.length;
  const bias = B && part(constantOf(B, 'bias'), place);
  const none = new Float32Array(2 * rows);
  const biases = bias?.values ?? none;
  const gates = (values: Float32Array, width: number): Float32Array => {
    const result = new Float32Array(values.length);
    const size = units * width;
    blocks.forEach((block, i) => {
      result.set(values.subarray(block * size, (block + 1) * size), i * size);
    });
    return result;
  };
  const transposed = (constant: Constant, width: number) => ({
    shape: [width, rows],
    values: reordered(gates(part(constant, place).values, width), [rows, width], [1, 0]),
  });
  const [own, second] = [gates(biases.subarray(0, rows), 1), gates(biases.subarray(rows), 1)];
  const isGru = op === 'gru';
  const withCell = states === 2 && isRead(2);
  const all = builder.add({
    op,
    inputs: [x],
    attributes: { units, returnSequences: true, reverse, ...(withCell && { returnCell: true }) },
    weights: {
      kernel: transposed(kernel, features),
      recurrentKernel: transposed(constantOf(R, 'recurrent kernel'), units),
      bias: { shape: [rows], values: isGru ? own : own.map((value, i) => value + (second[i] as number)) },
      recurrentBias: isGru ? { shape: [rows], values: second } : undefined,
    },
    after: kernel.name,
  });
  const steps = x.shape[0] as number;
  const cut = (from: number, to: number): Tensor =>
    builder.add({ op: 'slice', inputs: [all], attributes: { axis: 0, from, to } });
  const last = reverse ? 0 : steps - 1;
  return {
    y: withCell ? cut(0, steps) : all,
    h: () => cut(last, last + 1),
    c: withCell ? () => cut(steps, steps + 1) : undefined,
  };
}

/** The numbers of one direction: the first axis counts them. */
function part({ shape, values }: Constant, place: number): { readonly values: Float32Array } {
  const size = values.length / (shape[0] as number);
  return { values: Float32Array.from(values.subarray(place * size, (place + 1) * size)) };
}

export const RECURRENT_OPERATORS: Readonly<Record<string, Operator>> = {
  LSTM: recurrent(LSTM),
  GRU: recurrent(GRU),
  RNN: recurrent(RNN),
};
