/*
 * Recurrent ops as layers of Keras, which orders the gates as here: i, f, c, o and z, r, h. A layer that runs backwards returns its
 * outputs in reversed order there, so sequences of a reverse layer need their forward counterpart: both are one Bidirectional.
 */
import type { ResolvedNode } from '../../../shared/graph/resolve.js';
import { lastOf } from '../../../shared/graph/shape.js';
import type { RecurrentAttributes } from '../recurrent-attributes.js';
import type { LayerOutput, LayerWeight } from './layer-model.js';
import { type LayerWriter, NoCounterpart, type OpWriter } from './layer-writer.js';

const CLASSES: Readonly<Record<string, string>> = { lstm: 'LSTM', gru: 'GRU', simpleRnn: 'SimpleRNN' };

/** How each op that joins two directions is called. */
const MERGE_MODES: Readonly<Record<string, string>> = { add: 'sum', multiply: 'mul', concatenate: 'concat' };

const recurrent: OpWriter = (to, { node, inputs: [x] }) => {
  const { returnSequences, reverse } = attributesOf(node);
  if (reverse && returnSequences)
    throw new NoCounterpart(
      'the outputs at all steps of a layer that runs backwards, without a forward one to join',
    );
  return to.layer(node, {
    ...{ className: CLASSES[node.op] as string, config: configOf(to, node), inputs: [x], shape: node.shape },
    weights: weightsOf(to, node, to.dialect === 'tfjs' ? '' : 'cell'),
  });
};

export const lstm = recurrent;
export const gru = recurrent;
export const simpleRnn = recurrent;

/** Two directions of one sequence, and the node that joins them. */
interface Directions {
  readonly forward: ResolvedNode;
  readonly backward: ResolvedNode;
}

/**
 * The directions that a node joins; undefined if it joins something else.
 * @param usesOf how many nodes read each
 */
export function directionsOf(
  node: ResolvedNode,
  nodes: ReadonlyMap<string, ResolvedNode>,
  usesOf: ReadonlyMap<string, number>,
): Directions | undefined {
  if (MERGE_MODES[node.op] === undefined || node.inputs.length !== 2) return undefined;
  const { axis } = node.attributes as { readonly axis?: number };
  if (axis !== undefined && axis !== node.shape.length - 1) return undefined;
  const [forward, backward] = node.inputs.map((name) => nodes.get(name));
  if (forward === undefined || backward === undefined || CLASSES[forward.op] === undefined) return undefined;
  const [first, second] = [attributesOf(forward), attributesOf(backward)];
  const isPair =
    forward.op === backward.op &&
    forward.inputs.length === 1 &&
    forward.inputs[0] === backward.inputs[0] &&
    first.units === second.units &&
    first.returnSequences === second.returnSequences &&
    !first.reverse &&
    second.reverse &&
    [forward, backward].every(({ name }) => usesOf.get(name) === 1);
  return isPair ? { forward, backward } : undefined;
}

/** Adds both directions as one layer. */
export function bidirectional(
  to: LayerWriter,
  node: ResolvedNode,
  { forward, backward }: Directions,
  x: LayerOutput,
): LayerOutput {
  const isTfjs = to.dialect === 'tfjs';
  const className = CLASSES[forward.op] as string;
  const inner = forward.name.replace(/[^A-Za-z0-9_.-]+/g, '_');
  const own = { name: inner, trainable: true, dtype: 'float32', ...configOf(to, forward) };
  const layer = isTfjs
    ? { class_name: className, config: own }
    : { module: 'keras.layers', class_name: className, config: own, registered_name: null };
  const [first, second] = isTfjs
    ? [`forward_${inner}`, `backward_${inner}`]
    : ['forward_layer/cell', 'backward_layer/cell'];
  const joined = { ...node, parameters: prefixed({ forward, backward }) };
  return to.layer(joined, {
    ...{ className: 'Bidirectional', inputs: [x], shape: node.shape },
    config: { merge_mode: MERGE_MODES[node.op], layer },
    weights: [...weightsOf(to, forward, first as string), ...weightsOf(to, backward, second as string)],
  });
}

function prefixed(nodes: Readonly<Record<string, ResolvedNode>>): Record<string, string> {
  return Object.fromEntries(
    Object.entries(nodes).flatMap(([place, { parameters }]) =>
      Object.entries(parameters).map(([role, name]) => [`${place} ${role}`, name]),
    ),
  );
}

const attributesOf = (node: ResolvedNode): RecurrentAttributes => node.attributes as RecurrentAttributes;

/** @throws NoCounterpart for inputs and outputs that a plain layer does not have */
function configOf(to: LayerWriter, node: ResolvedNode): Record<string, unknown> {
  const { units, returnSequences, reverse, masked, initialState, returnCell } = attributesOf(node);
  if (masked) throw new NoCounterpart('a mask of steps that are given as numbers');
  if (initialState) throw new NoCounterpart('an initial state');
  if (returnCell) throw new NoCounterpart('the state of the cell as an output');
  const isGru = node.op === 'gru';
  if (isGru && to.dialect === 'tfjs') throw new NoCounterpart('a GRU with the reset gate after the product');
  return {
    ...{ units, activation: 'tanh', use_bias: true },
    ...(node.op !== 'simpleRnn' && { recurrent_activation: 'sigmoid' }),
    ...(isGru && { reset_after: true }),
    ...{ return_sequences: returnSequences, return_state: false, go_backwards: reverse, stateful: false },
  };
}

function weightsOf(to: LayerWriter, node: ResolvedNode, within: string): LayerWeight[] {
  const weights = to.weights(
    node,
    { kernel: 'kernel', recurrent_kernel: 'recurrentKernel', bias: 'bias' },
    within,
  );
  const second = to.weight(node, 'recurrentBias');
  if (second === undefined) return weights;
  // Both biases of a GRU are one tensor [2, 3 * units].
  return weights.map((weight) => {
    if (weight.role !== 'bias') return weight;
    const values = new Float32Array(2 * second.values.length);
    values.set(weight.values.values);
    values.set(second.values, second.values.length);
    return { ...weight, values: { shape: [2, lastOf(second.shape)], values } };
  });
}
