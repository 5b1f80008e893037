/*
 * Data augmentation: layers that change samples at random in training, each sample independently and differently at each
 * step, against overfitting. In evaluation and prediction they do nothing (randomCrop takes the middle).
 */

import { UserError } from '../../errors.js';
import { didYouMean } from '../../nearest.js';
import type { Layer, LayerIdentity } from '../graph.js';
import { checkLayerOptions } from '../layer-options.js';
import { imageOf } from '../ops/image.js';
import type { RandomShiftAttributes } from '../ops/random-window.js';

/** What lies beyond the border of an image: its mirror image (d c b a | a b c d | d c b a), or 0. */
export type ShiftFill = RandomShiftAttributes['fillMode'];

/**
 * Shifts images [height, width, channels] by whole pixels, up to these fractions of their height and width.
 * @param heightFactor from 0 to 1
 * @param widthFactor from 0 to 1
 * @throws UserError when a factor is out of bounds
 */
export function randomTranslation(
  heightFactor: number,
  widthFactor: number,
  options: { fillMode?: ShiftFill; name?: string } = {},
): Layer {
  checkLayerOptions('randomTranslation()', options, ['fillMode', 'name']);
  const { fillMode = 'reflect' } = options;
  const layer: LayerIdentity = { kind: 'randomTranslation', name: options.name };
  return (x) => {
    const name = x.graph.nameOf(layer);
    const shift = imageOf(name, x.shape).size.map((size, axis) => {
      const factor = axis === 0 ? heightFactor : widthFactor;
      if (factor >= 0 && factor <= 1) return Math.round(factor * size);
      throw new UserError(`layer ${name}: a factor must be from 0 to 1, not ${factor}`);
    });
    const attributes = { shift, flips: [false, false], fillMode };
    return x.graph.add({ layer, op: 'randomShift', inputs: [x], attributes });
  };
}

const FLIP_MODES = ['horizontal', 'vertical', 'horizontalAndVertical'] as const;
export type FlipMode = (typeof FLIP_MODES)[number];

/** Flips half of the images [height, width, channels] left to right, or upside down, or each independently. */
export function randomFlip(mode: FlipMode = 'horizontalAndVertical', options: { name?: string } = {}): Layer {
  checkLayerOptions('randomFlip()', options, ['name']);
  if (!FLIP_MODES.includes(mode))
    throw new UserError(
      `randomFlip() has no mode "${mode}"; ${didYouMean(String(mode), FLIP_MODES, 'modes')}`,
    );
  const layer: LayerIdentity = { kind: 'randomFlip', name: options.name };
  const flips = [mode !== 'vertical', mode !== 'horizontal'];
  const attributes = { shift: [0, 0], flips, fillMode: 'constant' };
  return (x) => x.graph.add({ layer, op: 'randomShift', inputs: [x], attributes });
}

/** A random window of height x width of each image [height, width, channels]; in evaluation the middle one. */
export function randomCrop(height: number, width: number, options: { name?: string } = {}): Layer {
  checkLayerOptions('randomCrop()', options, ['name']);
  const layer: LayerIdentity = { kind: 'randomCrop', name: options.name };
  return (x) => x.graph.add({ layer, op: 'randomCrop', inputs: [x], attributes: { size: [height, width] } });
}

/** Adds normally distributed noise of this standard deviation to every element. */
export function gaussianNoise(deviation: number, options: { name?: string } = {}): Layer {
  checkLayerOptions('gaussianNoise()', options, ['name']);
  const layer: LayerIdentity = { kind: 'gaussianNoise', name: options.name };
  return (x) => x.graph.add({ layer, op: 'gaussianNoise', inputs: [x], attributes: { deviation } });
}

export interface SpecAugmentOptions {
  /** Number of bands of times that are set to 0, at most 16. Default: 2. */
  readonly timeMasks?: number;
  /** Largest width of such a band. Default: an eighth of the times. */
  readonly timeWidth?: number;
  /** Number of bands of frequencies, at most 16. Default: 2. */
  readonly frequencyMasks?: number;
  /** Largest width of such a band. Default: an eighth of the frequencies. */
  readonly frequencyWidth?: number;
  readonly name?: string;
}

/** Sets bands of a spectrogram [times, frequencies] to 0, like SpecAugment (without time warping). */
export function specAugment(options: SpecAugmentOptions = {}): Layer {
  checkLayerOptions('specAugment()', options, [
    'timeMasks',
    'timeWidth',
    'frequencyMasks',
    'frequencyWidth',
    'name',
  ]);
  const layer: LayerIdentity = { kind: 'specAugment', name: options.name };
  return (x) => {
    const [times = 1, frequencies = 1] = x.shape;
    const eighth = (size: number): number => Math.floor(size / 8);
    const attributes = {
      times: { masks: options.timeMasks ?? 2, width: options.timeWidth ?? eighth(times) },
      frequencies: {
        masks: options.frequencyMasks ?? 2,
        width: options.frequencyWidth ?? eighth(frequencies),
      },
    };
    return x.graph.add({ layer, op: 'maskBands', inputs: [x], attributes });
  };
}
