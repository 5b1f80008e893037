import { loadMnist } from '../shared/data/images/mnist.js';
import { Graph } from '../shared/graph/graph.js';
import { activation } from '../shared/graph/layers/activation.js';
import { exp, mean, minus, plus, square, times } from '../shared/graph/layers/arithmetic.js';
import { gaussianNoise } from '../shared/graph/layers/augmentation.js';
import { defineLoss, lossTerms } from '../shared/graph/layers/composed-loss.js';
import { dense } from '../shared/graph/layers/dense.js';
import { flatten, reshape } from '../shared/graph/layers/reshape.js';
import { binaryCrossentropy } from '../shared/graph/losses/binary-crossentropy.js';
import { adam } from '../shared/optim/adam.js';
import type { Recipe } from '../trainer/recipe.js';

/** Numbers that describe a digit. */
const LATENT = 8;
const PIXELS = 28 * 28;

/**
 * A variational autoencoder (Kingma, Welling 2014). The encoder gives a normal distribution for each image, the decoder draws
 * the image again from a sample of it. Outside of training the sample is the mean.
 *
 *     loss = -ln p(image | z) + KL(N(m, s^2) || N(0, 1)), of a pixel; KL = (m^2 + s^2 - 1 - ln s^2) / 2
 */
export const recipe: Recipe = {
  summary: 'handwritten digits with a variational autoencoder: 784-256-8-256-784, Adam, composed loss',
  model() {
    const image = new Graph().input('image', [28, 28]);
    const hidden = dense(256, { activation: 'relu', name: 'encoder' })(flatten()(image));
    const means = dense(LATENT, { name: 'means' })(hidden);
    const logVariances = dense(LATENT, { name: 'log-variances' })(hidden);
    const noise = gaussianNoise(1)(times(means, 0));
    const z = plus(means, times(noise, exp(times(logVariances, 0.5))));
    const decoded = dense(PIXELS, { name: 'pixels' })(dense(256, { activation: 'relu', name: 'decoder' })(z));
    const drawn = activation('sigmoid')(reshape([28, 28])(decoded));
    const loss = defineLoss((output) => {
      const pixels = lossTerms(output, binaryCrossentropy({ target: 'image' }));
      const distance = minus(plus(square(means), exp(logVariances)), plus(logVariances, 1));
      return plus(pixels, times(mean(distance), (0.5 * LATENT) / PIXELS));
    });
    return image.graph.model(drawn, loss);
  },
  data: loadMnist,
  optimizer: adam({ learningRate: 0.001 }),
  batch: 128,
  leafSize: 16,
  epochs: 5,
  goal: { metric: 'testLoss', atMost: 0.16 },
};
