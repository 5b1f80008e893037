import type { Layer, LayerIdentity } from '../graph.js';
import type { InitializerName } from '../initializers.js';
import { checkLayerOptions } from '../layer-options.js';
import type { Regularizer } from '../regularizers.js';
import { type ActivationName, applyActivation } from './activation.js';

export interface DenseOptions {
  /** Default: linear. */
  readonly activation?: ActivationName;
  /** Default: glorotUniform. */
  readonly kernelInitializer?: InitializerName;
  /** Penalty of the kernel: l1, l2 or l1L2 of regularizers.ts. Default: none. */
  readonly kernelRegularizer?: Regularizer | undefined;
  /** Default: zeros. */
  readonly biasInitializer?: InitializerName;
  /** Default: true. */
  readonly useBias?: boolean;
  readonly name?: string;
}

/**
 * A fully connected layer: activation(x W + b) along the last axis.
 * Parameters: `<name>/kernel` [inputs, units] and, unless `useBias` is false, `<name>/bias` [units].
 */
export function dense(units: number, options: DenseOptions = {}): Layer {
  checkLayerOptions('dense()', options, [
    'activation',
    'kernelInitializer',
    'kernelRegularizer',
    'biasInitializer',
    'useBias',
    'name',
  ]);
  const { activation = 'linear', useBias = true } = options;
  const { kernelInitializer = 'glorotUniform', biasInitializer = 'zeros' } = options;
  const layer: LayerIdentity = { kind: 'dense', name: options.name };
  return (x) => {
    const z = x.graph.add({
      layer,
      op: 'dense',
      inputs: [x],
      attributes: { units, useBias },
      initializers: { kernel: { kind: kernelInitializer }, bias: { kind: biasInitializer } },
      regularizers: { kernel: options.kernelRegularizer },
    });
    return applyActivation(z, activation, { layer, part: activation });
  };
}
