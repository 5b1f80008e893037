/*
 * Recurrent ops as nn.LSTM, nn.GRU and nn.RNN. PyTorch has two biases for each gate and orders the gates of a GRU as r, z, n; those
 * of an LSTM have the same order here and there: i, f, g, o.
 */
import type { Tensor } from '../../../shared/files/tensors.js';
import type { RecurrentAttributes } from '../recurrent-attributes.js';
import { reordered } from '../reordered.js';
import { type Code, flag, type NetworkWriter, type TorchUse } from './network-writer.js';

type Values = Omit<Tensor, 'name'>;

/** @param gates for each gate of PyTorch, the gate here */
const recurrent =
  (name: string, gates: readonly number[]) =>
  (to: NetworkWriter, use: TorchUse): Code => {
    const { node, inputs } = use;
    const { units, returnSequences, reverse, masked, initialState, returnCell } =
      node.attributes as RecurrentAttributes;
    const kernel = to.needed(use, 'kernel');
    const zeros = { shape: [gates.length * units], values: new Float32Array(gates.length * units) };
    const layer = to.submodule(use, {
      code: `nn.${name}(${kernel.shape[0]}, ${units}, batch_first=True)`,
      state: {
        weight_ih_l0: transposedGates(kernel, gates),
        weight_hh_l0: transposedGates(to.needed(use, 'recurrentKernel'), gates),
        bias_ih_l0: gatesOf(to.needed(use, 'bias'), gates),
        bias_hh_l0: gatesOf(to.weight(use, 'recurrentBias') ?? zeros, gates),
      },
    });
    const [x, ...more] = inputs;
    const mask = masked ? more[0] : 'None';
    const states = initialState ? more.slice(masked ? 1 : 0) : [];
    const state = states.length === 0 ? 'None' : `[${states.join(', ')}]`;
    const outputs = to.line(
      `recurrent(${layer}, ${x}, reverse=${flag(reverse)}, mask=${mask}, state=${state})`,
    );
    const last = `${outputs}[1][0]`;
    const result = returnSequences ? `${outputs}[0]` : last;
    if (!returnCell) return to.line(result);
    const rows = returnSequences ? result : `${last}.unsqueeze(1)`;
    return to.line(`torch.cat([${rows}, ${outputs}[1][1].unsqueeze(1)], 1)`);
  };

export const lstm = recurrent('LSTM', [0, 1, 2, 3]);
export const gru = recurrent('GRU', [1, 0, 2]);
export const simpleRnn = recurrent('RNN', [0]);

/** A vector of gates in another order. */
function gatesOf({ shape, values }: Values, gates: readonly number[]): Values {
  const size = values.length / gates.length;
  const result = new Float32Array(values.length);
  gates.forEach((gate, i) => {
    result.set(values.subarray(gate * size, (gate + 1) * size), i * size);
  });
  return { shape, values: result };
}

/** [inputs, gates * units] as [gates * units, inputs]. */
function transposedGates({ shape, values }: Values, gates: readonly number[]): Values {
  const transposed = { shape: [...shape].reverse(), values: reordered(values, shape, [1, 0]) };
  return gatesOf(transposed, gates);
}
