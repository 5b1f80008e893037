/*
 * Layers that alter samples at random while a model trains, each sample by itself and otherwise at each step, so that it
 * does not learn them by heart. In evaluation and prediction they do nothing (randomCrop: take the middle).
 */
import { UserError } from '../../errors.js';
import type { Layer, LayerIdentity } from '../graph.js';
import { imageOf } from '../ops/image.js';
import type { RandomShiftAttributes } from '../ops/random-window.js';

/** What lies beyond an image's border: itself in the mirror (d c b a | a b c d | d c b a), or 0. */
export type FillMode = RandomShiftAttributes['fillMode'];

/**
 * Moves images [height, width, channels] by whole pixels, up to these shares of their height and width.
 * @param heightFactor from 0 to 1
 * @param widthFactor from 0 to 1
 * @throws UserError when a factor is out of bounds
 */
export function randomTranslation(
  heightFactor: number,
  widthFactor: number,
  options: { fillMode?: FillMode; name?: string } = {},
): Layer {
  const { fillMode = 'reflect' } = options;
  const layer: LayerIdentity = { kind: 'randomTranslation', name: options.name };
  return (x) => {
    const name = x.graph.nameOf(layer);
    const shift = imageOf(name, x.shape).size.map((size, axis) => {
      const factor = axis === 0 ? heightFactor : widthFactor;
      if (factor >= 0 && factor <= 1) return Math.round(factor * size);
      throw new UserError(`layer ${name}: a factor is a share from 0 to 1, not ${factor}`);
    });
    const attributes = { shift, flips: [false, false], fillMode };
    return x.graph.add({ layer, op: 'randomShift', inputs: [x], attributes });
  };
}

export type FlipMode = 'horizontal' | 'vertical' | 'horizontalAndVertical';

/** Turns half of the images [height, width, channels] left to right, or upside down, or each by chance. */
export function randomFlip(mode: FlipMode = 'horizontalAndVertical', options: { name?: string } = {}): Layer {
  const layer: LayerIdentity = { kind: 'randomFlip', name: options.name };
  const flips = [mode !== 'vertical', mode !== 'horizontal'];
  const attributes = { shift: [0, 0], flips, fillMode: 'constant' };
  return (x) => x.graph.add({ layer, op: 'randomShift', inputs: [x], attributes });
}

/** A window of height x width somewhere in each image [height, width, channels]; in evaluation its middle. */
export function randomCrop(height: number, width: number, options: { name?: string } = {}): Layer {
  const layer: LayerIdentity = { kind: 'randomCrop', name: options.name };
  return (x) => x.graph.add({ layer, op: 'randomCrop', inputs: [x], attributes: { size: [height, width] } });
}

/** Adds normally distributed noise of this standard deviation to every element. */
export function gaussianNoise(deviation: number, options: { name?: string } = {}): Layer {
  const layer: LayerIdentity = { kind: 'gaussianNoise', name: options.name };
  return (x) => x.graph.add({ layer, op: 'gaussianNoise', inputs: [x], attributes: { deviation } });
}

export interface SpecAugmentOptions {
  /** Bands of times that are silenced, at most 16. Default: 2. */
  readonly timeMasks?: number;
  /** Most times of such a band. Default: an eighth of the times. */
  readonly timeWidth?: number;
  /** Bands of frequencies, at most 16. Default: 2. */
  readonly frequencyMasks?: number;
  /** Most frequencies of such a band. Default: an eighth of the frequencies. */
  readonly frequencyWidth?: number;
  readonly name?: string;
}

/** Sets bands of a spectrogram [times, frequencies] to 0, as SpecAugment does (without its time warping). */
export function specAugment(options: SpecAugmentOptions = {}): Layer {
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
