import type { Tensor } from '../../../../shared/files/tensors.js';
import { Untranslatable } from '../../untranslatable.js';
import { weightPlaces } from '../layer-model.js';

/** Numbers of a weight. */
export type WeightValues = Pick<Tensor, 'shape' | 'values'>;

/** Where weights of a layer lie inside of it, in a `.keras` file and in TensorFlow.js: 'cell', or 'forward_'. */
export interface Within {
  readonly keras: string;
  readonly tfjs: string;
}

/** The weights of a file. */
export interface WeightSource {
  /** Paths of the layers of a model. @param path of the model; '' for the outermost */
  places(path: string, layers: readonly { readonly className: string; readonly name: string }[]): string[];
  /**
   * The weights of a layer, one for each role.
   * @param roles in the order that Keras has; false for weights that the layer does not have
   * @throws Untranslatable when one is missing
   */
  weights(place: string, roles: readonly (string | false)[], within?: Within): (WeightValues | undefined)[];
}

/** Weights of model.weights.h5: by the classes of the layers, and by number. */
export class KerasWeights implements WeightSource {
  constructor(private readonly tensors: ReadonlyMap<string, Tensor>) {}

  places(path: string, layers: readonly { readonly className: string }[]): string[] {
    const prefix = path === '' ? '' : `${path}/`;
    return weightPlaces(layers.map(({ className }) => className)).map((name) => `${prefix}layers/${name}`);
  }

  weights(place: string, roles: readonly (string | false)[], within?: Within): (WeightValues | undefined)[] {
    const inner = within === undefined ? '' : `${within.keras}/`;
    let index = 0;
    return roles.map((role) => {
      if (role === false) return undefined;
      const tensor = this.tensors.get(`${place}/${inner}vars/${index++}`);
      if (tensor === undefined) throw new Untranslatable(`no ${role} among the weights`);
      return tensor;
    });
  }
}

/** Weights of TensorFlow.js: by the names of the layers and of the weights. */
export class TfjsWeights implements WeightSource {
  constructor(private readonly tensors: readonly Tensor[]) {}

  places(_: string, layers: readonly { readonly name: string }[]): string[] {
    return layers.map(({ name }) => name);
  }

  weights(place: string, roles: readonly (string | false)[], within?: Within): (WeightValues | undefined)[] {
    // Converters put the name of a cell between that of the layer and that of the weight.
    const own = this.tensors.filter(({ name }) => name.startsWith(`${place}/${within?.tfjs ?? ''}`));
    return roles.map((role) => {
      if (role === false) return undefined;
      const found = own.find(({ name }) => name.replace(/:0$/, '').endsWith(`/${role}`));
      if (found === undefined) throw new Untranslatable(`no ${role} among the weights`);
      return found;
    });
  }
}
