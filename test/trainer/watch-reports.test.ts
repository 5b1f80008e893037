import { expect, it } from 'vitest';
import { layersNews } from '../../trainer/watch-reports.js';

it('tells norms over all parameters of a layer: of the gradient, of the update, and of that relative to the weights', () => {
  const parameters = [
    { name: 'dense.kernel', weightNorm: 6, gradientNorm: 3, updateRatio: 0.5 },
    { name: 'dense.bias', weightNorm: 8, gradientNorm: 4, updateRatio: 0.5 },
  ];
  const layer = { name: 'dense', op: 'affine', activation: 1, error: 0.1 };
  const plain = { name: 'flatten', op: 'reshape', activation: 2, parameters: [] };
  const news = layersNews({ step: 7, samples: 32, layers: [{ ...layer, parameters }, plain] });
  expect(news).toEqual({
    kind: 'layers',
    step: 7,
    layers: [
      { ...layer, gradientNorm: 5, updateNorm: 5, updateRatio: 0.5 },
      { name: 'flatten', op: 'reshape', activation: 2 },
    ],
  });
  const [first] = layersNews({
    step: 7,
    samples: 32,
    layers: [
      {
        ...layer,
        parameters: parameters.map(({ name, weightNorm, gradientNorm }) => ({
          name,
          weightNorm,
          gradientNorm,
        })),
      },
    ],
  }).layers;
  // The step was not done when it was looked at.
  expect(first).toEqual({ ...layer, gradientNorm: 5 });
});
