import { describe, expect, it } from 'vitest';
import type { SavedCheckpoint } from '../../coordinator/storage/checkpoint.js';
import { adam } from '../../shared/optim/adam.js';
import { cosineDecay } from '../../shared/optim/schedule.js';
import { differences } from '../../trainer/learning-settings.js';
import { planRun, type RunRequest } from '../../trainer/run-plan.js';
import { smallRequest } from './small-recipe.js';

const FIX = 'resume with the same, or start a new run from its weights (--weights PATH)';

/** A checkpoint of a run with these settings, after so many steps. */
function checkpointOf(request: RunRequest, step: number): SavedCheckpoint {
  const progress = { step, optimizer: {}, best: null };
  const hashes = { sha256: '', weightsSha256: '' };
  return { progress, settings: planRun(request).settings, parameters: [], buffers: [], ...hashes };
}

describe('planRun', () => {
  it('multiplies the base learning rate by the schedule', () => {
    const { learningRate } = planRun(smallRequest({ learningRate: 0.5, schedule: cosineDecay() }));
    expect(learningRate(0)).toBe(0.5);
    expect(learningRate(3)).toBeCloseTo(0.25, 6);
  });

  it.each<[string, Partial<RunRequest>, string]>([
    ['an optimizer', { optimizer: { ...adam(), beta1: 2 } }, 'not a valid optimizer: beta1: '],
    ['a schedule', { schedule: { name: 'cosine', warmup: -1, floor: 0 } }, 'warmup'],
    ['clipping', { clipping: { by: 'value', limit: 0 } }, 'limit'],
    ['gradient noise', { gradientNoise: { eta: 0, gamma: 1 } }, 'eta'],
    ['early stopping', { earlyStopping: { patience: 0, minDelta: 0, restoreBest: true } }, 'patience'],
  ])('refuses wrong settings of %s', (_what, changes, message) => {
    expect(() => planRun(smallRequest(changes))).toThrow(message);
  });

  it('resumes with another learning rate and more steps', () => {
    const from = checkpointOf(smallRequest(), 6);
    const { settings } = planRun(smallRequest({ from, learningRate: 0.2, steps: 9 }));
    expect(differences(settings, from.settings)).toEqual(['steps 9 (was 6)', 'learningRate 0.2 (was 0.1)']);
  });

  it.each<[string, Partial<RunRequest>, string]>([
    ['batch', { batch: 4 }, `the run was started with other settings: batch 4 (was 8); ${FIX}`],
    ['optimizer', { optimizer: adam() }, `the run was started with the optimizer sgd, not adam; ${FIX}`],
    [
      'fewer steps',
      { steps: 5 },
      'the run has already done 6 steps, more than the 5 requested; request more',
    ],
  ])('refuses to resume with another %s', (_what, changes, message) => {
    const from = checkpointOf(smallRequest(), 6);
    expect(() => planRun(smallRequest({ ...changes, from }))).toThrow(message);
  });
});
