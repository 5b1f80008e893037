import { expect, it } from 'vitest';
import { confusionTable } from '../../scripts/terminal/confusion-table.js';
import { classFigures } from '../../shared/metrics/confusion-matrix.js';

it('a confusion matrix has classes down and across, and figures at its borders', () => {
  const counts = [
    [10, 0, 2],
    [0, 0, 0],
    [1, 0, 3],
  ];
  expect(confusionTable(['rose', '1', 'iris'], counts, classFigures(counts))).toEqual([
    'is \\ taken for      0  1      2  recall',
    '0 rose             10  .      2   0.833',
    '1                   .  .      .       -',
    '2 iris              1  .      3   0.750',
    'precision       0.909  -  0.600',
  ]);
});
