import type { KernelArguments } from '../command-buffer.js';

type Groups = KernelArguments<'batchNormalizationBackward'>;
const xOf = ({ rows, positions, channels }: Pick<Groups, 'rows' | 'positions' | 'channels'>) =>
  rows * positions * channels;
/** Words up to the last statistic of the last group: statistics lie in the row of the first sample of their group. */
export const statisticsOf = (
  { rows, channels, group }: Pick<Groups, 'rows' | 'channels' | 'group'>,
  start = 0,
  words = 3 * channels,
) => Math.floor((rows + start - 1) / group) * group * 3 * channels + words;

/** Bounds of the kernels of batch normalisation. */
export const BATCH_NORMALIZATION_BOUNDS = {
  batchNormalizationForward: (a: KernelArguments<'batchNormalizationForward'>) => ({
    ...{ x: xOf(a), y: xOf(a), statistics: statisticsOf(a), gamma: a.channels, beta: a.channels },
  }),
  batchNormalizationInference: ({ rows, channels }: KernelArguments<'batchNormalizationInference'>) => ({
    ...{ x: rows * channels, y: rows * channels, gamma: channels, beta: channels },
    ...{ mean: channels, variance: channels },
  }),
  batchNormalizationBackward: (a: Groups) => ({
    ...{
      x: xOf(a),
      dy: xOf(a),
      dx: xOf(a),
      statistics: statisticsOf(a, 0, 2 * a.channels),
      gamma: a.channels,
    },
  }),
  treeBatchNormalizationScale: (a: KernelArguments<'treeBatchNormalizationScale'>) => ({
    ...{ x: xOf(a), dy: xOf(a), statistics: statisticsOf(a, a.start, 2 * a.channels), out: a.channels },
  }),
  treeGroupStatistics: (a: KernelArguments<'treeGroupStatistics'>) => ({
    ...{ statistics: statisticsOf(a, a.start, a.channels), out: a.channels },
  }),
  moveAverage: ({ n }: KernelArguments<'moveAverage'>) => ({ average: n, value: n }),
} as const;
