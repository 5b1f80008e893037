import type { Tensor } from '../../../../shared/graph/graph.js';
import type { OpName } from '../../../../shared/graph/ops/table.js';
import { Untranslatable } from '../../untranslatable.js';
import type { Config } from './layer-config.js';
import type { LayerUse } from './layer-use.js';

/** Activations that are ops, by their names in Keras. */
const OPS: Readonly<Record<string, OpName>> = {
  ...{ relu: 'relu', sigmoid: 'sigmoid', tanh: 'tanh', softmax: 'softmax', log_softmax: 'logSoftmax' },
  ...{ gelu: 'gelu', silu: 'silu', swish: 'silu', exponential: 'exp' },
};
/** Slope of leaky_relu as an activation. */
const LEAKY_SLOPE = 0.2;

/** The name of an activation: a text, or an object of a registered function. */
export function activationName(value: unknown): string {
  if (value === undefined || value === null) return 'linear';
  if (typeof value === 'string') return value;
  const { registered_name: registered, config, class_name: className } = value as Config;
  const name = typeof registered === 'string' ? registered : typeof config === 'string' ? config : className;
  return String(name).replace(/^.*>/, '');
}

/** Adds an activation. @throws Untranslatable for one that has no counterpart */
export function activated({ builder }: LayerUse, x: Tensor, value: unknown): Tensor {
  const name = activationName(value);
  const op = OPS[name];
  if (op !== undefined) return builder.add({ op, inputs: [x] });
  switch (name) {
    case 'linear':
      return x;
    case 'relu6':
      return clipped(builder, x, 6);
    case 'leaky_relu':
      return builder.add({ op: 'leakyRelu', inputs: [x], attributes: { slope: LEAKY_SLOPE } });
    default:
      throw new Untranslatable(`the activation ${name}`);
  }
}

/** min(max(x, 0), bound) = relu(x) - relu(x - bound) */
export function clipped(builder: LayerUse['builder'], x: Tensor, bound: number): Tensor {
  const [low, high] = [x, builder.affine(x, 1, -bound)].map((part) =>
    builder.add({ op: 'relu', inputs: [part] }),
  );
  return builder.add({ op: 'add', inputs: [low as Tensor, builder.affine(high as Tensor, -1, 0)] });
}
