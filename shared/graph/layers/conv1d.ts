import { UserError } from '../../errors.js';
import type { Layer, LayerIdentity, Tensor } from '../graph.js';
import type { InitializerName } from '../initializers.js';
import { checkLayerOptions } from '../layer-options.js';
import type { Regularizer } from '../regularizers.js';
import { formatShape } from '../shape.js';
import type { ActivationName } from './activation.js';
import { conv2d } from './conv2d.js';
import { partsOf } from './parts.js';

export interface Conv1dOptions {
  /** Distance of the kernel positions of neighbouring results. Default: 1. */
  readonly strides?: number;
  /** 'valid': only positions where the whole kernel lies inside; 'same': length / strides results. Default: valid. */
  readonly padding?: 'valid' | 'same';
  /** Distance of the positions that neighbouring taps read. Default: 1. */
  readonly dilation?: number;
  /** Default: linear. */
  readonly activation?: ActivationName;
  /** Default: glorotUniform. */
  readonly kernelInitializer?: InitializerName;
  /** Penalty of the kernel. Default: none. */
  readonly kernelRegularizer?: Regularizer | undefined;
  /** Default: true. */
  readonly useBias?: boolean;
  readonly name?: string;
}

/**
 * A convolution of sequences [positions, channels] to [.., filters]: a two-dimensional one over an image of one column.
 * Parameters: `<name>/taps/kernel` [kernelSize, 1, channels, filters] and, unless `useBias` is false, `<name>/taps/bias`.
 */
export function conv1d(filters: number, kernelSize: number, options: Conv1dOptions = {}): Layer {
  checkLayerOptions('conv1d()', options, [
    ...(['strides', 'padding', 'dilation', 'activation', 'kernelInitializer'] as const),
    ...(['kernelRegularizer', 'useBias', 'name'] as const),
  ]);
  const { strides = 1, dilation = 1, name, ...others } = options;
  const owner: LayerIdentity = { kind: 'conv1d', name };
  const part = partsOf(owner);
  const reshaped = (x: Tensor, what: string, shape: readonly number[]): Tensor =>
    x.graph.add({ layer: owner, part: what, op: 'reshape', inputs: [x], attributes: { shape: [...shape] } });
  return (x) => {
    const [positions, channels] = x.shape;
    if (positions === undefined || channels === undefined || x.shape.length !== 2)
      throw new UserError(
        `conv1d needs a sequence [positions, channels], not ${formatShape(x.shape)}; reshape it`,
      );
    const taps = part(x.graph, 'taps', (full) =>
      conv2d(filters, [kernelSize, 1], {
        ...{ ...others, strides: [strides, 1], dilation: [dilation, 1], name: full },
      }),
    );
    const y = taps(reshaped(x, 'column', [positions, 1, channels]));
    return reshaped(y, 'sequence', [y.shape[0] as number, filters]);
  };
}
