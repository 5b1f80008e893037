/*
 * Muon (Jordan et al.: "Muon: an optimizer for hidden layers in neural networks", 2024), with decoupled decay: the step of
 * a matrix is its orthogonalised momentum, so that all directions are learned at a similar speed. Embeddings, the last layer
 * and all parameters that are not matrices use Adam. G: gradient, W: weights [inputs, outputs]; M: moving average.
 *
 *     M = momentum * M + (1 - momentum) * G          X = M, or with Nesterov momentum * M + (1 - momentum) * G
 *     X = X / |X|, then five times (Newton, Schulz)   A = X X'     X = 3.4445 X + (-4.775 A + 2.0315 A A) X
 *     W = W - learningRate * (sqrt(max(1, outputs / inputs)) X + weightDecay * W)
 *
 * A has the size of the smaller side: with more inputs than outputs it is X' X, multiplied from the right. The rate of Adam is
 * adamLearningRate when the current learning rate is learningRate, and proportional to it.
 */
import * as v from 'valibot';
import { squareRoot } from '../arithmetic/square-root.js';
import type { CommandBuffer } from '../kernels/command-buffer.js';
import { optionsOf } from '../nearest.js';
import { adam, adamOptimizer } from './adam.js';
import { AverageFactor, Decay, LearningRate, Positive, WeightAverage } from './check-settings.js';
import type { MatrixUpdateCall, Optimizer } from './optimizer.js';

export const MuonSettingsSchema = v.strictObject({
  name: v.literal('muon'),
  ema: WeightAverage,
  learningRate: Positive,
  momentum: AverageFactor,
  nesterov: v.boolean(),
  weightDecay: Decay,
  adamLearningRate: LearningRate,
  beta1: AverageFactor,
  beta2: AverageFactor,
  epsilon: Positive,
});
export type MuonSettings = v.InferOutput<typeof MuonSettingsSchema>;

const ITERATIONS = 5;
/** Index of the first scalar of Muon, after those of Adam, which are stored twice. */
const OWN_SCALARS = 16;
const LINE_FLOATS = 16;
/** Floats of a block of sumSquares. */
const BLOCK_FLOATS = 1024;

/** Settings of Muon; default: 0.02, momentum 0.95 with Nesterov, no decay; for the rest Adam with 0.0003, 0.9, 0.95, 1e-10. */
export function muon(options: Partial<Omit<MuonSettings, 'name'>> = {}): MuonSettings {
  const rest = { adamLearningRate: 3e-4, beta1: 0.9, beta2: 0.95, epsilon: 1e-10 };
  return {
    name: 'muon',
    ...{ learningRate: 0.02, momentum: 0.95, nesterov: true, weightDecay: 0, ...rest },
    ...optionsOf('muon()', options),
  };
}

/** The optimizer with these settings. Buffers: m (for a matrix M), v. */
export function muonOptimizer(settings: MuonSettings): Optimizer {
  const { learningRate: base, momentum, nesterov, weightDecay, adamLearningRate } = settings;
  const { beta1, beta2, epsilon } = settings;
  const rest = adamOptimizer(adam({ beta1, beta2, epsilon, weightDecay }));
  return {
    ...rest,
    update(before, learningRate) {
      const { state, scalars } = rest.update(before, (learningRate * adamLearningRate) / base);
      const padding = Array.from({ length: OWN_SCALARS - scalars.length }, () => 0);
      const own = [learningRate, learningRate * weightDecay, momentum, 1 - momentum, nesterov ? 1 : 0];
      return { state, scalars: [...scalars, ...padding, ...own] };
    },
    matrices: {
      scratchFloats: (rows, cols) => partsOf(0, rows, cols).end / 4,
      emit: emitMatrix,
    },
  };
}

/** The byte offsets of intermediate results in scratch memory. */
function partsOf(scratch: number, rows: number, cols: number) {
  let end = scratch;
  const allocate = (floats: number): number => {
    const at = end;
    end += Math.ceil(floats / LINE_FLOATS) * LINE_FLOATS * 4;
    return at;
  };
  const [all, side, blocks] = [rows * cols, Math.min(rows, cols), Math.ceil((rows * cols) / BLOCK_FLOATS)];
  const matrices = { x: allocate(all), y: allocate(all), a: allocate(side * side), b: allocate(side * side) };
  const norms = { sums: allocate(blocks), large: allocate(blocks), total: allocate(2) };
  return { ...matrices, ...norms, blocks, end };
}

function emitMatrix(to: Pick<CommandBuffer, 'emit'>, call: MatrixUpdateCall): void {
  const { weights, gradient, buffers, rows, cols } = call;
  const { x, y, a, b, sums, large, total, blocks } = partsOf(call.scratch, rows, cols);
  const [n, side, scalars] = [rows * cols, Math.min(rows, cols), call.scalars + OWN_SCALARS * 4];
  to.emit('muonMomentum', { gradient, momentum: buffers[0] as number, out: x, n, scalars });
  to.emit('sumSquares', { a: x, out: sums, large, n });
  to.emit('treeTotal', { a: sums, out: total, n: blocks });
  to.emit('treeTotal', { a: large, out: total + 4, n: blocks });
  to.emit('normalizeVector', { a: x, total, n, epsilon: 1e-7 });
  const plain = { bias: 0, activation: 0 };
  for (let i = 0; i < ITERATIONS; i++) {
    if (rows <= cols) to.emit('matmulTransposedB', { a: x, b: x, out: a, rows, inner: cols, cols: rows });
    else to.emit('treeMatmulTransposedA', { a: x, b: x, out: a, rows, m: cols, n: cols, leafRows: rows });
    to.emit('matmul', { a, b: a, out: b, rows: side, inner: side, cols: side, ...plain });
    to.emit('blendVectors', { a, b, out: b, n: side * side, p: -4.775, q: 2.0315 });
    if (rows <= cols) to.emit('matmul', { a: b, b: x, out: y, rows, inner: rows, cols, ...plain });
    else to.emit('matmul', { a: x, b, out: y, rows, inner: cols, cols, ...plain });
    to.emit('blendVectors', { a: x, b: y, out: x, n, p: 3.4445, q: 1 });
  }
  const scale = squareRoot(Math.max(1, cols / rows));
  to.emit('muonUpdate', { weights, direction: x, n, scale, scalars });
}
