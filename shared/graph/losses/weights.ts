/*
 * Weights of the terms l of a loss: of samples, from a field of the data, and of classes. The mean is still over the number of
 * terms, as in Keras, so that a step does not depend on which samples its batch holds:
 *
 *     L = (1 / (B * terms)) * sum of w l      w = weight of the sample * weight of its class
 *
 * A class number c has the weight w_c; a target t over k classes has sum_i t_i w_i; a yes or no t has (1 - t) w_0 + t w_1.
 */
import * as v from 'valibot';
import { UserError } from '../../errors.js';
import { lastOf, type Shape } from '../shape.js';

const CLASSES_MAX = 2 ** 16;

export const LossWeightsSchema = v.strictObject({
  /** The field of the data that holds the weight of each sample, f32. */
  sample: v.optional(v.string()),
  /** The weight of each class. */
  classes: v.optional(
    v.pipe(
      v.array(v.pipe(v.number(), v.finite(), v.minValue(0))),
      v.minLength(2),
      v.maxLength(CLASSES_MAX),
      v.check((weights) => weights.some((weight) => weight > 0), 'are all 0, so nothing is learned'),
    ),
  ),
});
/** Weights of the terms of a loss. */
export type LossWeights = v.InferOutput<typeof LossWeightsSchema>;

/** Options of a loss that name the weights of its terms. */
export interface SampleWeightOptions {
  /** The field of the data with a weight for each sample. Default: all weights are 1. */
  readonly sampleWeight?: string;
}

/** The same for losses of classes. */
export interface ClassWeightOptions extends SampleWeightOptions {
  /** A weight for each class, by number; of a yes or no, those of no and of yes. Default: all are 1. */
  readonly classWeights?: readonly number[];
}

/** The weights that options name, as the settings of a loss have them; nothing where they name none. */
export function weightsOf({ sampleWeight, classWeights }: ClassWeightOptions): {
  readonly weights?: LossWeights;
} {
  if (sampleWeight === undefined && classWeights === undefined) return {};
  if (classWeights !== undefined && !Array.isArray(classWeights))
    throw new UserError(
      'classWeights is not a list; give a weight for each class by number, such as [1, 10]',
    );
  return {
    weights: {
      ...(sampleWeight !== undefined && { sample: sampleWeight }),
      ...(classWeights !== undefined && { classes: classWeights.map(Math.fround) }),
    },
  };
}

/** How a loss finds the classes of its terms. */
export type ClassTargets = 'numbers' | 'shares' | 'yes-or-no';

/** How a loss finds the classes of its terms; undefined for losses without classes. */
export function classTargetsOf(kind: string): ClassTargets | undefined {
  if (kind === 'sparseCategoricalCrossentropy') return 'numbers';
  if (kind === 'categoricalCrossentropy') return 'shares';
  return kind === 'binaryCrossentropy' ? 'yes-or-no' : undefined;
}

/** @throws UserError when a loss of predictions of this shape cannot have these weights */
export function checkWeights(kind: string, shape: Shape, { classes, sample }: LossWeights): void {
  if (kind === 'value' && sample !== undefined)
    throw new UserError('a composed loss is weighted by its ops: times(terms, field("weight"))');
  if (classes === undefined) return;
  const found = classTargetsOf(kind);
  if (found === undefined)
    throw new UserError(`the loss ${kind} has no classes; give samples weights of their own (sampleWeight)`);
  const elements = shape.reduce((product, size) => product * size, 1);
  if (found === 'yes-or-no' && elements !== 1)
    throw new UserError(
      `classWeights of binaryCrossentropy need a single output, not ${elements}; give samples weights of their own (sampleWeight)`,
    );
  const count = found === 'yes-or-no' ? 2 : lastOf(shape);
  if (classes.length !== count)
    throw new UserError(
      `classWeights has ${classes.length} weights, but the output has ${count} classes; give one for each`,
    );
}
