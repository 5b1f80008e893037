import { Graph } from '../../shared/graph/graph.js';
import { dense } from '../../shared/graph/layers/dense.js';
import { concatenate } from '../../shared/graph/layers/merge.js';
import { flatten, permute, repeatVector, reshape } from '../../shared/graph/layers/reshape.js';
import { meanSquaredError } from '../../shared/graph/losses/mean-squared-error.js';
import type { Model } from '../../shared/graph/model.js';

/** Models that put elements in other places. */
export const AXES_MODELS = {
  /** Tensors beside each other along both axes, axes turned, a summary repeated; logarithms of probabilities at the end. */
  axes: (): Model => {
    const x = new Graph().input('x', [3, 4]);
    const seen = dense(4, { activation: 'tanh', name: 'seen' })(x);
    const turned = dense(4, { activation: 'tanh', name: 'turned' })(permute([2, 1])(seen));
    const summary = dense(2, { activation: 'tanh', name: 'summary' })(flatten()(seen));
    const long = concatenate({ axis: 0 })([seen, turned, x]);
    const wide = concatenate()([long, repeatVector(10)(summary)]);
    const cube = permute([3, 1, 2])(reshape([10, 3, 2])(wide));
    const output = dense(3, { activation: 'logSoftmax', name: 'output' })(cube);
    return x.graph.model(output, meanSquaredError({ target: 'y' }));
  },
} as const satisfies Readonly<Record<string, () => Model>>;
