import { expect, it } from 'vitest';
import { confusionTable } from '../../scripts/terminal/confusion-table.js';
import { classStats } from '../../shared/metrics/confusion-matrix.js';

it('a confusion matrix has true classes as rows, predicted ones as columns, recall and precision at its borders', () => {
  const counts = [
    [10, 0, 2],
    [0, 0, 0],
    [1, 0, 3],
  ];
  expect(confusionTable(['rose', '1', 'iris'], counts, classStats(counts))).toEqual([
    'true \\ predicted      0  1      2  recall',
    '0 rose               10  .      2   0.833',
    '1                     .  .      .       -',
    '2 iris                1  .      3   0.750',
    'precision         0.909  -  0.600',
  ]);
});
