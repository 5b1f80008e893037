import { expect, it } from 'vitest';
import { sameContent } from '../../web/page/chart-content.js';
import { lossChart } from '../../web/page/run-charts.js';

const POINT = { step: 1, loss: 0.5, samples: 8, seconds: 1 };
const LATER = { ...POINT, step: 2 };

it('tells contents of a chart apart by each value, and not by who made them', () => {
  const content = lossChart([POINT, LATER], []);
  expect(sameContent(content, lossChart([{ ...POINT }, LATER], []))).toBe(true);
  expect(sameContent(content, lossChart([POINT], []))).toBe(false);
  expect(sameContent(content, lossChart([POINT, { ...LATER, loss: 0.4 }], []))).toBe(false);
  expect(sameContent(content, lossChart([POINT, { ...LATER, step: 3 }], []))).toBe(false);
  const evaluation = { step: 2, epoch: 1, metrics: { testLoss: 0.6 } };
  expect(sameContent(content, lossChart([POINT, LATER], [evaluation]))).toBe(false);
});
