import { addOp } from './add.js';
import { affineOp } from './affine.js';
import { attentionOp } from './attention.js';
import { averagePoolOp } from './average-pool.js';
import { batchNormalizationOp } from './batch-normalization.js';
import { concatenateOp } from './concatenate.js';
import { conv2dOp } from './conv2d.js';
import { conv2dTransposeOp } from './conv2d-transpose.js';
import { conv3dOp } from './conv3d.js';
import { denseOp } from './dense.js';
import { dropoutOp } from './dropout.js';
import { embeddingOp } from './embedding.js';
import { expOp } from './exp.js';
import { gatherOp } from './gather.js';
import { gaussianNoiseOp } from './gaussian-noise.js';
import { geluOp } from './gelu.js';
import { gruOp } from './gru.js';
import { layerNormalizationOp } from './layer-normalization.js';
import { leakyReluOp } from './leaky-relu.js';
import { logOp } from './log.js';
import { logSoftmaxOp } from './log-softmax.js';
import { lossTermsOp } from './loss-terms.js';
import { lstmOp } from './lstm.js';
import { maskBandsOp } from './mask-bands.js';
import { matmulOp } from './matmul.js';
import { maxPoolOp } from './max-pool.js';
import { multiplyOp } from './multiply.js';
import type { Op } from './op.js';
import { parameterOp } from './parameter.js';
import { permuteOp } from './permute.js';
import { positionalEmbeddingOp } from './positional-embedding.js';
import { positionalEncodingOp } from './positional-encoding.js';
import { randomCropOp, randomShiftOp } from './random-window.js';
import { reciprocalOp } from './reciprocal.js';
import { reduceSumOp } from './reduce-sum.js';
import { reluOp } from './relu.js';
import { repeatOp } from './repeat.js';
import { repeatVectorOp } from './repeat-vector.js';
import { reshapeOp } from './reshape.js';
import { reverseEmbeddingOp } from './reverse-embedding.js';
import { rotaryOp } from './rotary.js';
import { scaleGradientOp } from './scale-gradient.js';
import { sigmoidOp } from './sigmoid.js';
import { siluOp } from './silu.js';
import { simpleRnnOp } from './simple-rnn.js';
import { sliceOp } from './slice.js';
import { softmaxOp } from './softmax.js';
import { sqrtOp } from './sqrt.js';
import { stepOp } from './step.js';
import { tanhOp } from './tanh.js';
import { whereOp } from './where.js';

/** Every op by its name in models. Names are part of the model format: they are never reused for another op. */
export const OPS = {
  add: addOp,
  affine: affineOp,
  exp: expOp,
  log: logOp,
  lossTerms: lossTermsOp,
  reciprocal: reciprocalOp,
  reduceSum: reduceSumOp,
  repeat: repeatOp,
  sqrt: sqrtOp,
  step: stepOp,
  scaleGradient: scaleGradientOp,
  where: whereOp,
  gather: gatherOp,
  matmul: matmulOp,
  parameter: parameterOp,
  rotary: rotaryOp,
  attention: attentionOp,
  embedding: embeddingOp,
  gelu: geluOp,
  layerNormalization: layerNormalizationOp,
  leakyRelu: leakyReluOp,
  positionalEmbedding: positionalEmbeddingOp,
  positionalEncoding: positionalEncodingOp,
  silu: siluOp,
  averagePool: averagePoolOp,
  batchNormalization: batchNormalizationOp,
  concatenate: concatenateOp,
  conv2d: conv2dOp,
  conv2dTranspose: conv2dTransposeOp,
  conv3d: conv3dOp,
  dense: denseOp,
  dropout: dropoutOp,
  gaussianNoise: gaussianNoiseOp,
  gru: gruOp,
  logSoftmax: logSoftmaxOp,
  lstm: lstmOp,
  maskBands: maskBandsOp,
  maxPool: maxPoolOp,
  multiply: multiplyOp,
  permute: permuteOp,
  randomCrop: randomCropOp,
  randomShift: randomShiftOp,
  relu: reluOp,
  repeatVector: repeatVectorOp,
  reshape: reshapeOp,
  reverseEmbedding: reverseEmbeddingOp,
  sigmoid: sigmoidOp,
  simpleRnn: simpleRnnOp,
  slice: sliceOp,
  softmax: softmaxOp,
  tanh: tanhOp,
} as const;

export type OpName = keyof typeof OPS;

/** Any op; its attributes and roles are only known to its own file. */
export type AnyOp = Op<unknown, string>;

/** The op of this name. */
export function opOf(name: OpName): AnyOp {
  return OPS[name] as AnyOp;
}
