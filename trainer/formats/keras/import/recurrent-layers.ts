import type { Tensor } from '../../../../shared/graph/graph.js';
import { Untranslatable } from '../../untranslatable.js';
import { activationName } from './activations.js';
import type { Config } from './layer-config.js';
import { expect, type LayerReader, type LayerUse, numberOf } from './layer-use.js';
import type { WeightValues, Within } from './layer-weights.js';

type RecurrentOp = 'lstm' | 'gru' | 'simpleRnn';

const GATES: Readonly<Record<RecurrentOp, number>> = { lstm: 4, gru: 3, simpleRnn: 1 };
const CLASSES: Readonly<Record<string, RecurrentOp>> = { LSTM: 'lstm', GRU: 'gru', SimpleRNN: 'simpleRnn' };
/** TensorFlow.js has the weights of a cell directly in the layer. */
const CELL: Within = { keras: 'cell', tfjs: '' };

/** @throws Untranslatable for settings that the network's layers do not have */
function check(config: Config, op: RecurrentOp): void {
  const activation = activationName(config.activation ?? 'tanh');
  if (activation !== 'tanh') throw new Untranslatable(`the activation ${activation} of a recurrent layer`);
  const gates = activationName(config.recurrent_activation ?? 'sigmoid');
  if (op !== 'simpleRnn' && gates !== 'sigmoid')
    throw new Untranslatable(`the recurrent activation ${gates}`);
  for (const name of ['return_state', 'stateful', 'zero_output_for_mask', 'time_major'])
    expect(config, name, false);
  if (op === 'gru' && config.reset_after !== true)
    throw new Untranslatable('a GRU with the reset gate before the product (reset_after false)');
}

/** One direction. */
function direction(
  use: LayerUse,
  op: RecurrentOp,
  config: Config,
  reverse: boolean,
  within: Within,
  part?: string,
): Tensor {
  check(config, op);
  const { builder, inputs } = use;
  const units = numberOf(config, 'units');
  const useBias = config.use_bias !== false;
  const [kernel, recurrentKernel, given] = use.weights(
    ['kernel', 'recurrent_kernel', useBias && 'bias'],
    within,
  );
  const width = GATES[op] * units;
  const biases = given?.values ?? new Float32Array(op === 'gru' ? 2 * width : width);
  const vector = (from: number): WeightValues => ({
    shape: [width],
    values: biases.slice(from, from + width),
  });
  const rate = numberOf(config, 'dropout', 0);
  if (numberOf(config, 'recurrent_dropout', 0) > 0)
    use.note('recurrent dropout is left out; it acts in training only');
  // The same inputs are dropped at all steps.
  const attributes = { rate, sharedAxes: 1 };
  const x = rate === 0 ? inputs[0] : builder.add({ op: 'dropout', inputs: [inputs[0]], attributes });
  return builder.add({
    ...{ op, inputs: [x], layer: use.identity(op, part) },
    attributes: { units, returnSequences: config.return_sequences === true, reverse },
    weights: {
      ...{ kernel, recurrentKernel, bias: vector(0) },
      recurrentBias: op === 'gru' ? vector(width) : undefined,
    },
  });
}

const recurrent =
  (op: RecurrentOp): LayerReader =>
  (use) => {
    const reverse = use.config.go_backwards === true;
    if (reverse && use.config.return_sequences === true)
      throw new Untranslatable('outputs at all steps in reversed order (go_backwards with return_sequences)');
    return direction(use, op, use.config, reverse, CELL);
  };

const bidirectional: LayerReader = (use) => {
  const { builder, config } = use;
  const { class_name: className, config: inner } = (config.layer ?? {}) as Config;
  const op = CLASSES[String(className)];
  if (op === undefined) throw new Untranslatable(`both directions of ${String(className)}`);
  const forward = inner as Config;
  expect(forward, 'go_backwards', false);
  const given = config.backward_layer as Config | undefined | null;
  const backward = (given?.config as Config | undefined) ?? forward;
  const [first, second] = [
    direction(use, op, forward, false, { keras: 'forward_layer/cell', tfjs: 'forward_' }, 'forward'),
    direction(use, op, backward, true, { keras: 'backward_layer/cell', tfjs: 'backward_' }, 'backward'),
  ];
  const inputs = [first, second];
  switch (config.merge_mode === undefined ? 'concat' : config.merge_mode) {
    case 'concat':
      return builder.add({ op: 'concatenate', inputs, attributes: { axis: first.shape.length - 1 } });
    case 'sum':
      return builder.add({ op: 'add', inputs });
    case 'mul':
      return builder.add({ op: 'multiply', inputs });
    case 'ave':
      return builder.affine(builder.add({ op: 'add', inputs }), 0.5, 0);
    default:
      throw new Untranslatable('both directions as separate outputs');
  }
};

export const RECURRENT_LAYERS: Readonly<Record<string, LayerReader>> = {
  LSTM: recurrent('lstm'),
  GRU: recurrent('gru'),
  SimpleRNN: recurrent('simpleRnn'),
  Bidirectional: bidirectional,
};
