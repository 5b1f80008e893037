import { binaryCrossentropyLoss } from './binary-crossentropy.js';
import { categoricalCrossentropyLoss } from './categorical-crossentropy.js';
import { ctcLoss } from './ctc.js';
import { detectionLoss } from './detection.js';
import { huberLoss } from './huber.js';
import type { Loss } from './loss.js';
import { meanAbsoluteErrorLoss } from './mean-absolute-error.js';
import { meanSquaredErrorLoss } from './mean-squared-error.js';
import { sparseCategoricalCrossentropyLoss } from './sparse-categorical-crossentropy.js';
import { valueLoss } from './value.js';

/** Every loss by its name in models. */
export const LOSSES = {
  binaryCrossentropy: binaryCrossentropyLoss,
  categoricalCrossentropy: categoricalCrossentropyLoss,
  ctc: ctcLoss,
  detection: detectionLoss,
  huber: huberLoss,
  meanAbsoluteError: meanAbsoluteErrorLoss,
  meanSquaredError: meanSquaredErrorLoss,
  sparseCategoricalCrossentropy: sparseCategoricalCrossentropyLoss,
  value: valueLoss,
} as const;

export type LossName = keyof typeof LOSSES;

/** The loss of this name. */
export function lossOf(name: LossName): Loss<unknown> {
  return LOSSES[name] as Loss<unknown>;
}
