import * as v from 'valibot';

const finite = v.pipe(v.number(), v.finite());

/** A learning rate: not negative. 0 leaves the weights as they are. */
export const LearningRate = v.pipe(finite, v.minValue(0));
/** A weight decay: not negative. */
export const Decay = v.pipe(finite, v.minValue(0));
/** The factor of a moving average: at least 0, less than 1. */
export const AverageFactor = v.pipe(finite, v.minValue(0), v.ltValue(1));
/** More than 0. */
export const Positive = v.pipe(finite, v.gtValue(0));
