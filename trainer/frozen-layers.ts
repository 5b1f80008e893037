import { UserError } from '../shared/errors.js';
import type { Model } from '../shared/graph/model.js';
import type { Recipe } from './recipe.js';

/**
 * A recipe of which some layers keep their initial weights.
 * @param layers names of layers, in which * stands for any text: "conv2d*" is conv2d, conv2d_1 and all of their parts;
 *   undefined: the recipe as it is
 */
export function withFrozenLayers(recipe: Recipe, layers: readonly string[] | undefined): Recipe {
  return layers === undefined ? recipe : { ...recipe, model: (data) => frozen(recipe.model(data), layers) };
}

/** @throws UserError when a name fits no layer with parameters, or nothing is left to train */
function frozen(model: Model, layers: readonly string[]): Model {
  const patterns = layers.map((text) => ({ text, pattern: patternOf(text) }));
  const unused = patterns.find(({ pattern }) => !model.parameters.some(({ name }) => pattern.test(name)));
  if (unused !== undefined) {
    const names = [...new Set(model.parameters.map(({ name }) => name.replace(/\/[^/]*$/, '')))];
    throw new UserError(`--freeze: no layer is called ${unused.text}; the layers are ${names.join(', ')}`, 2);
  }
  const parameters = model.parameters.map((parameter) => {
    if (!patterns.some(({ pattern }) => pattern.test(parameter.name))) return parameter;
    const { name, shape, initializer } = parameter;
    return { name, shape, initializer, trainable: false as const };
  });
  if (parameters.every(({ trainable }) => trainable === false))
    throw new UserError('--freeze leaves no layer to train; freeze fewer', 2);
  return { ...model, parameters };
}

/** Fits parameters of the layer and of its parts: "a" fits "a/kernel" and "a/b/bias". */
function patternOf(text: string): RegExp {
  const parts = text.split('*').map((part) => part.replace(/[.+?^${}()|[\]\\]/g, '\\$&'));
  return new RegExp(`^${parts.join('.*')}(/.*)?$`);
}
