import { expect, it } from 'vitest';
import type { RunEnd } from '../../coordinator/run-coordinator.js';
import { divergedMessage } from '../../trainer/end-messages.js';

const END = { steps: 4, divergence: 'step' } as RunEnd;
const RUN = { recipe: 'r', learningRate: 0.1, areWeightsFinite: true, path: 'runs/r' };
const LEARNING =
  'the learning rate is too high (try --lr 0.01, or find one: lr-find r) or gradients explode (try --clip-norm 1)';

it('a run that diverges blames the learning rate', () => {
  const diagnosis = { what: 'the output of layer dense is not finite' };
  expect(divergedMessage(END, { ...RUN, diagnosis })).toBe(
    `step 5 was not applied: the output of layer dense is not finite; most likely ${LEARNING}; the weights of step 4 are in runs/r`,
  );
});

it('a run that diverges names the number that was out of range, and those that are not', () => {
  const given = { layer: 'log_2', op: 'log', x: -0.251, domain: 'numbers above 0' };
  const diagnosis = { what: 'the output of layer log_2 is not finite', given };
  expect(divergedMessage(END, { ...RUN, diagnosis })).toBe(
    'step 5 was not applied: the output of layer log_2 is not finite; log was given -0.251, and takes numbers above 0: ' +
      `keep the input of log_2 there (ops.clip, ops.plus); if it was there in earlier steps, ${LEARNING}; ` +
      'the weights of step 4 are in runs/r',
  );
});
