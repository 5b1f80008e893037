import { Graph, type Layer, type Tensor } from '../../shared/graph/graph.js';
import {
  gather,
  greater,
  matmul,
  max,
  mean,
  over,
  plus,
  repeat,
  times,
  transpose,
} from '../../shared/graph/layers/arithmetic.js';
import { conv1d } from '../../shared/graph/layers/conv1d.js';
import { defineLayer } from '../../shared/graph/layers/define-layer.js';
import { dense } from '../../shared/graph/layers/dense.js';
import { multiHeadAttention } from '../../shared/graph/layers/multi-head-attention.js';
import { groupNormalization, rmsNormalization } from '../../shared/graph/layers/normalization.js';
import { flatten } from '../../shared/graph/layers/reshape.js';
import { sequential } from '../../shared/graph/layers/sequential.js';
import { swiGlu } from '../../shared/graph/layers/transformer.js';
import { meanSquaredError } from '../../shared/graph/losses/mean-squared-error.js';
import type { Model } from '../../shared/graph/model.js';

/** A bilinear form of every pair of positions, with a parameter that is used twice. */
const pairwise = defineLayer('pairwise', (x, parameter) => {
  const [positions = 0, width = 0] = x.shape;
  const form = parameter('form', [width, width]);
  const scores = matmul(matmul(x, form), transpose(x));
  const shift = parameter('shift', [positions], 'ones');
  return plus(matmul(scores, matmul(x, form)), repeat(shift, width, -1));
});

/** Layers and ops that are composed, and the ops that they are composed of. */
export const DEFINED_MODELS = {
  'defined-layer': (): Model => composed([3, 4], pairwise()),

  /** Entries by position, one of them twice and one that does not exist. */
  gathered: (): Model =>
    composed([4, 3], (x) => {
      // 0, 3, or 5, which is no entry.
      const pick = x.graph.input('pick', [6]);
      return gather(dense(2)(x), plus(times(greater(pick, 0.4), 3), times(greater(pick, 0.8), 2)));
    }),

  /** The largest elements are far from the others. */
  'largest-elements': (): Model =>
    composed([3, 4], (x) => {
      const z = dense(4)(x);
      return plus(repeat(max(z, 1), 4, 1), over(z, plus(repeat(mean(z, 0), 3, 0), 7)));
    }),

  'rotary-attention': (): Model => composed([5, 8], multiHeadAttention(2, { causal: true, rotary: true })),

  'rms-swiglu': (): Model => composed([3, 6], sequential([rmsNormalization(), swiGlu(5)])),

  'conv-group-norm': (): Model =>
    composed([7, 3], sequential([conv1d(4, 3, { strides: 2, padding: 'same' }), groupNormalization(2)])),
} as const satisfies Readonly<Record<string, () => Model>>;

function composed(shape: readonly number[], layer: Layer | ((x: Tensor) => Tensor)): Model {
  const graph = new Graph();
  const x = graph.input('x', shape);
  const trunk = dense(shape.at(-1) ?? 1, { activation: 'tanh' })(x);
  const output = dense(2)(flatten()(layer(trunk)));
  return graph.model(output, meanSquaredError({ target: 'y' }));
}
