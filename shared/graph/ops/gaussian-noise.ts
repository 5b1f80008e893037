/*
 * gaussianNoise:  y = x + deviation n      dx = dy      n: normally distributed, drawn for each element, sample and step
 */
import * as v from 'valibot';
import { elementsOf } from '../shape.js';
import { type KernelOp, WITHOUT_PARAMETERS } from './op.js';
import { randomStreamOf } from './random-stream.js';

const GaussianNoiseAttributes = v.strictObject({
  deviation: v.pipe(v.number(), v.finite(), v.minValue(0)),
});
export type GaussianNoiseAttributes = v.InferOutput<typeof GaussianNoiseAttributes>;

export const gaussianNoiseOp: KernelOp<GaussianNoiseAttributes> = {
  ...WITHOUT_PARAMETERS,
  attributes: GaussianNoiseAttributes,
  arity: { min: 1, max: 1 },
  shape: ({ inputs: [shape] }) => shape,
  backwardReads: { inputs: false, output: false },
  errorTerm: 'passed',
  trainingOnly: true,
  forward(to, call) {
    const { output, attributes, x, y } = call;
    const drawn = { ...randomStreamOf('gaussianNoise', call), elements: elementsOf(output) };
    to.emit('addNoise', { x: x[0], y, ...drawn, deviation: attributes.deviation });
  },
  backward() {},
};
