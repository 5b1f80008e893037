import { UserError } from '../errors.js';
import { checkOptionNames, optionsOf } from '../nearest.js';

/**
 * Refuses options of a layer that nobody knows. A tensor in their place means that the function was passed as a layer instead of
 * being called: `sequential` reports that.
 * @throws UserError with the nearest known option
 */
export function checkLayerOptions(what: string, options: object, known: readonly string[]): void {
  if ('graph' in optionsOf(what, options)) return;
  // As Keras has it.
  if ('trainable' in options && !known.includes('trainable'))
    throw new UserError(
      `${what} has no option "trainable"; wrap the layer: learning(${what.replace('()', '(...)')}, { trainable: ${options.trainable} })`,
    );
  checkOptionNames(what, options, known);
}
