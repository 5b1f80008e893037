/*
 * maskBands: the masks of SpecAugment on a spectrogram [times, frequencies] or [times, frequencies, channels].
 *
 *     y = 0 in bands of times and of frequencies, else x      dx = 0 there, else dy
 *
 * For each sample and step the width of each band is drawn from 0 to its maximum, then the start of the band.
 *
 * Park et al.: "SpecAugment: a simple data augmentation method for automatic speech recognition" (2019).
 */
import * as v from 'valibot';
import { UserError } from '../../errors.js';
import { formatShape, type Shape } from '../shape.js';
import { type KernelOp, type KernelSink, type OpCall, WITHOUT_PARAMETERS } from './op.js';
import { randomStreamOf } from './random-stream.js';

/** Largest number of bands on each axis, as in c/augmentation.c. */
const BANDS_MAX = 16;
/** Largest number of times and frequencies together: the kernel has a flag for each in its workspace. */
const FLAGS_MAX = 2 ** 19;

const Bands = v.strictObject({
  masks: v.pipe(v.number(), v.integer(), v.minValue(0), v.maxValue(BANDS_MAX)),
  /** Largest width of a band. */
  width: v.pipe(v.number(), v.integer(), v.minValue(0)),
});

const MaskBandsAttributes = v.strictObject({ times: Bands, frequencies: Bands });
export type MaskBandsAttributes = v.InferOutput<typeof MaskBandsAttributes>;

export const maskBandsOp: KernelOp<MaskBandsAttributes> = {
  ...WITHOUT_PARAMETERS,
  attributes: MaskBandsAttributes,
  arity: { min: 1, max: 1 },
  shape({ name, inputs: [shape], attributes }) {
    const { times, frequencies } = axesOf(shape);
    if (shape.length < 2 || shape.length > 3 || times + frequencies > FLAGS_MAX) {
      throw new UserError(
        `layer ${name}: an input of shape ${formatShape(shape)} is not a spectrogram [times, frequencies]; reshape it`,
      );
    }
    if (attributes.times.width > times || attributes.frequencies.width > frequencies) {
      throw new UserError(
        `layer ${name}: its bands do not fit into shape ${formatShape(shape)}; make them narrower`,
      );
    }
    return shape;
  },
  backwardReads: { inputs: false, output: false },
  errorTerm: 'replaced',
  trainingOnly: true,
  forward: (to, call) => emitMask(to, call, call.x[0], call.y),
  backward: (to, call) => emitMask(to, call, call.dy, call.dx[0]),
};

function emitMask(to: KernelSink, call: OpCall<MaskBandsAttributes, never>, x: number, y: number): void {
  const { times, frequencies } = call.attributes;
  to.emit('maskBands', {
    x,
    y,
    ...randomStreamOf('maskBands', call),
    ...axesOf(call.output),
    timeMasks: times.masks,
    timeWidth: times.width,
    frequencyMasks: frequencies.masks,
    frequencyWidth: frequencies.width,
  });
}

function axesOf([times = 1, frequencies = 1, channels = 1]: Shape): {
  times: number;
  frequencies: number;
  channels: number;
} {
  return { times, frequencies, channels };
}
