import { statisticsOf } from '../bounds/batch-normalization-bounds.js';
import { input, output, type Size, updated } from './test-vector.js';

/** Samples in groups of two or three; the last group is not always full. */
function groupsOf({ rows, inner, cols }: Size) {
  const samples = 1 + (rows % 7);
  const [positions, group] = [1 + (inner % 5), 2 + (rows % 2)];
  return {
    x: samples * positions * cols,
    args: { rows: samples, positions, channels: cols, group },
  };
}

/** Test vectors of batch normalisation. */
export const BATCH_NORMALIZATION_TEST_VECTORS = {
  batchNormalizationForward: (size: Size) => {
    const { x, args } = groupsOf(size);
    const statistics = statisticsOf(args);
    const tensors = { x: input(x), gamma: input(size.cols), beta: input(size.cols), y: output(x) };
    return { ...tensors, statistics: output(statistics), ...args, epsilon: 1e-3 };
  },
  batchNormalizationInference: ({ rows, cols }: Size) => ({
    x: input(rows * cols),
    gamma: input(cols),
    beta: input(cols),
    mean: input(cols),
    variance: input(cols, 'positive'),
    y: output(rows * cols),
    ...{ rows, channels: cols, epsilon: 1e-3 },
  }),
  batchNormalizationBackward: (size: Size) => {
    const { x, args } = groupsOf(size);
    const statistics = statisticsOf(args, 0, 2 * size.cols);
    const inputs = { x: input(x), statistics: input(statistics), gamma: input(size.cols), dy: input(x) };
    return { ...inputs, dx: output(x), ...args };
  },
  treeBatchNormalizationScale: (size: Size) => {
    const { x, args } = groupsOf(size);
    const start = size.inner % args.group;
    const statistics = input(statisticsOf(args, start, 2 * size.cols));
    const tensors = { x: input(x), statistics, dy: input(x), out: output(size.cols) };
    return { ...tensors, ...args, start, leafRows: 1 + (size.rows % 2) };
  },
  treeGroupStatistics: (size: Size) => {
    const { args } = groupsOf(size);
    const { rows, channels, group } = args;
    const start = size.inner % group;
    const tensors = { statistics: input(statisticsOf(args, start, size.cols)), out: output(size.cols) };
    return { ...tensors, rows, channels, group, start, leafRows: 1 + (size.rows % 2), scale: 0.1 };
  },
  moveAverage: ({ rows, cols }: Size) => ({
    average: updated(rows * cols),
    value: input(rows * cols),
    ...{ n: rows * cols, share: 0.01 },
  }),
} as const;
