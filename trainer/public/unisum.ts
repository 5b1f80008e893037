/*
 * The public face of the package: what `import { ... } from 'unisum'` gives. Everything else may change between versions.
 */
import { numpy } from '../../shared/data/arrays/numpy.js';
import { audioFolder } from '../../shared/data/audio/audio-folder.js';
import { packDataset, shapeOf } from '../../shared/data/dataset.js';
import { fieldValues } from '../../shared/data/field-values.js';
import { loadFashionMnist } from '../../shared/data/images/fashion-mnist.js';
import { idxImages } from '../../shared/data/images/idx-images.js';
import { imageFolder } from '../../shared/data/images/image-folder.js';
import { loadMnist } from '../../shared/data/images/mnist.js';
import { rawFolder } from '../../shared/data/raw-folder.js';
import { packSamples } from '../../shared/data/samples.js';
import { csv } from '../../shared/data/tables/csv.js';
import { loadText } from '../../shared/data/texts/text.js';
import { activation, leakyRelu } from '../../shared/graph/layers/activation.js';
import {
  abs,
  affine,
  clip,
  exp,
  gather,
  greater,
  less,
  log,
  matmul,
  max,
  maximum,
  mean,
  minimum,
  minus,
  over,
  plus,
  repeat,
  scaleGradient,
  sqrt,
  square,
  stopGradient,
  sum,
  times,
  transpose,
  where,
} from '../../shared/graph/layers/arithmetic.js';
import {
  gaussianNoise,
  randomCrop,
  randomFlip,
  randomTranslation,
  specAugment,
} from '../../shared/graph/layers/augmentation.js';
import { batchNormalization } from '../../shared/graph/layers/batch-normalization.js';
import { bidirectional } from '../../shared/graph/layers/bidirectional.js';
import { conv1d } from '../../shared/graph/layers/conv1d.js';
import { conv2d } from '../../shared/graph/layers/conv2d.js';
import { conv2dTranspose } from '../../shared/graph/layers/conv2d-transpose.js';
import { conv3d } from '../../shared/graph/layers/conv3d.js';
import { dense } from '../../shared/graph/layers/dense.js';
import { depthwiseConv2d } from '../../shared/graph/layers/depthwise-conv2d.js';
import { dropout } from '../../shared/graph/layers/dropout.js';
import {
  embedding,
  positionalEmbedding,
  positionalEncoding,
  reversibleEmbedding,
} from '../../shared/graph/layers/embedding.js';
import { layerNormalization } from '../../shared/graph/layers/layer-normalization.js';
import { learning } from '../../shared/graph/layers/learning.js';
import { add, concatenate, multiply } from '../../shared/graph/layers/merge.js';
import { multiHeadAttention } from '../../shared/graph/layers/multi-head-attention.js';
import { groupNormalization, rmsNormalization } from '../../shared/graph/layers/normalization.js';
import {
  averagePooling2d,
  globalAveragePooling2d,
  globalMaxPooling2d,
  maxPooling2d,
} from '../../shared/graph/layers/pooling.js';
import {
  averagePooling3d,
  globalAveragePooling3d,
  globalMaxPooling3d,
  maxPooling3d,
} from '../../shared/graph/layers/pooling3d.js';
import { gru, lstm, simpleRnn } from '../../shared/graph/layers/recurrent.js';
import { flatten, permute, repeatVector, reshape, slice } from '../../shared/graph/layers/reshape.js';
import { feedForward, swiGlu, transformerBlock } from '../../shared/graph/layers/transformer.js';
import { binaryCrossentropy } from '../../shared/graph/losses/binary-crossentropy.js';
import { categoricalCrossentropy } from '../../shared/graph/losses/categorical-crossentropy.js';
import { ctc } from '../../shared/graph/losses/ctc.js';
import { detection } from '../../shared/graph/losses/detection.js';
import { huber } from '../../shared/graph/losses/huber.js';
import { meanAbsoluteError } from '../../shared/graph/losses/mean-absolute-error.js';
import { meanSquaredError } from '../../shared/graph/losses/mean-squared-error.js';
import { sparseCategoricalCrossentropy } from '../../shared/graph/losses/sparse-categorical-crossentropy.js';
import { l1, l1L2, l2 } from '../../shared/graph/regularizers.js';
import { auc } from '../../shared/metrics/area-under-curve.js';
import { accuracy, f1, precision, recall, topK } from '../../shared/metrics/class-metrics.js';
import {
  meanAbsoluteError as absoluteError,
  r2,
  rootMeanSquaredError,
} from '../../shared/metrics/error-metrics.js';
import { lossPerplexity } from '../../shared/metrics/perplexity.js';
import { adagrad } from '../../shared/optim/adagrad.js';
import { adam, adamw } from '../../shared/optim/adam.js';
import { clipByGlobalNorm, clipByNorm, clipByValue } from '../../shared/optim/clipping.js';
import { earlyStopping } from '../../shared/optim/early-stopping.js';
import { gradientNoise } from '../../shared/optim/gradient-noise.js';
import { lion } from '../../shared/optim/lion.js';
import { muon } from '../../shared/optim/muon.js';
import { reduceOnPlateau } from '../../shared/optim/plateau.js';
import { rmsprop } from '../../shared/optim/rmsprop.js';
import {
  constant,
  cosineDecay,
  exponential,
  oneCycle,
  stepDecay,
  warmRestarts,
} from '../../shared/optim/schedule.js';
import { sgd } from '../../shared/optim/sgd.js';

export { UserError } from '../../shared/errors.js';
export { type ComposedLoss, Graph, type Layer, type Tensor } from '../../shared/graph/graph.js';
export { defineLoss, lossTerms } from '../../shared/graph/layers/composed-loss.js';
export { defineLayer, type ParameterMaker } from '../../shared/graph/layers/define-layer.js';
export { sequential } from '../../shared/graph/layers/sequential.js';
export type { Model } from '../../shared/graph/model.js';
export {
  type Accumulator,
  defineMetric,
  type MeasuredRows,
  type Metric,
  type MetricInput,
} from '../../shared/metrics/metric.js';
export type { InputValues, PredictOptions } from '../batched-prediction.js';
export { importNetwork } from '../formats/import-network.js';
export { ImportedNetwork } from '../formats/imported-network.js';
export type { ImportOptions } from '../formats/onnx/import/import.js';
export type { GenerateOptions } from '../generation/generate-options.js';
export {
  type EvaluateOptions,
  type ExportOptions,
  type LoadedModel,
  type LoadOptions,
  load,
} from '../loaded-model.js';
export type { TypedOptions as TrainingOptions } from '../options/typed-options.js';
export type { PreprocessedSamples, PreprocessOptions } from '../preprocessed-samples.js';
export type { Goal, Recipe, RecipeData } from '../recipe.js';
export type { TrainResult, WorkerShare } from '../result.js';
export type {
  CheckpointEvent,
  EpochEvent,
  EvaluationEvent,
  NoticeEvent,
  StepEvent,
  TrainingEvent,
  WorkerEvent,
} from '../training-events.js';
export { type TrainingRun, train } from '../training-run.js';
export { join, type WorkerProgramOptions as JoinOptions, type WorkerResult } from '../worker-run.js';

/** Arithmetic on tensors, for losses and layers that are composed in the program itself. */
export const ops = {
  ...{ abs, affine, clip, exp, gather, greater, less, log, matmul, max, maximum, mean, minimum, minus, over },
  ...{ plus, repeat, scaleGradient, sqrt, square, stopGradient, sum, times, transpose, where },
};

/** Layers: each call creates one. A layer that is used twice shares its parameters. */
export const layers = {
  ...{ activation, add, averagePooling2d, averagePooling3d, batchNormalization, bidirectional, concatenate },
  ...{ conv1d, conv2d, conv2dTranspose, conv3d, dense, depthwiseConv2d, dropout, embedding, feedForward },
  ...{ flatten, gaussianNoise, globalAveragePooling2d, globalAveragePooling3d, globalMaxPooling2d },
  ...{ globalMaxPooling3d, groupNormalization, gru, layerNormalization, leakyRelu, learning, lstm },
  ...{ maxPooling2d, maxPooling3d, multiHeadAttention, multiply, permute, positionalEmbedding },
  ...{ positionalEncoding, randomCrop, randomFlip, randomTranslation, repeatVector, reshape },
  ...{ reversibleEmbedding, rmsNormalization, simpleRnn, slice, specAugment, swiGlu, transformerBlock },
};

/** Penalties of kernels. */
export const regularizers = { l1, l1L2, l2 };

/** Losses: each names the field of the data that holds its target. */
export const losses = {
  ...{ binaryCrossentropy, categoricalCrossentropy, ctc, detection, huber, meanAbsoluteError },
  ...{ meanSquaredError, sparseCategoricalCrossentropy },
};

/** Metrics of evaluations: `evaluationMetrics` of a recipe. */
export const metrics = {
  ...{ accuracy, auc, f1, meanAbsoluteError: absoluteError, perplexity: lossPerplexity, precision, r2 },
  ...{ recall, rootMeanSquaredError, topK },
};

/** Optimizers, as settings. */
export const optimizers = { adagrad, adam, adamw, lion, muon, rmsprop, sgd };

/** Learning rate schedules, as settings. */
export const schedules = {
  ...{ constant, cosineDecay, exponential, oneCycle, reduceOnPlateau, stepDecay, warmRestarts },
};

/** Other settings of a recipe: clipping, noise, early stopping. */
export const settings = { clipByGlobalNorm, clipByNorm, clipByValue, earlyStopping, gradientNoise };

/** Data sets: from arrays, from files, and those that come with the package. */
export const data = {
  ...{ audioFolder, csv, fashionMnist: loadFashionMnist, fieldValues, idxImages, imageFolder },
  ...{ mnist: loadMnist, numpy, packDataset, packSamples, rawFolder, shapeOf, text: loadText },
};
