import { describe, expect, it } from 'vitest';
import { initialState } from '../../../coordinator/coordinator-state.js';
import type { CheckpointPolicy } from '../../../coordinator/state/run-settings.js';
import { coordinate } from '../../../coordinator/transition.js';
import { Script } from '../script.js';
import { runSettings } from '../settings.js';

const FINGERPRINTS = { weightsSha256: 'w', sha256: 's' };

/** A run whose first state is being saved. */
function begun(checkpoints: CheckpointPolicy): Script {
  const script = new Script({ checkpoints });
  script.connects('unauthenticated', true);
  return script;
}

function saved(script: Script, step: number): string[] {
  return script.tellAll({ kind: 'saved', step, outcome: FINGERPRINTS });
}

describe('a run that is saved', () => {
  it('is saved before its first step, whether a worker is ready or not', () => {
    const script = new Script({ checkpoints: { everySteps: 2 } });
    expect(script.connects('a', true)).toEqual(['a <- challenge', 'checkpoint 0']);
  });

  it('is saved every so many steps, at which executions end, and at every better evaluation', () => {
    const script = begun({ everySteps: 2 });
    saved(script, 0);
    expect(script.joins('a', { local: true })).toEqual(['execution 0 with scalars 1 2: a [0,8)']);
    expect(script.tell({ kind: 'executed', metrics: [[5], [4]], elapsedMs: 2 }).slice(2)).toEqual([
      'checkpoint 2',
      'execution 2 with scalars 3: a [0,5)',
    ]);
    saved(script, 2);
    expect(script.tell({ kind: 'executed', metrics: [[3]], elapsedMs: 1 })).toContain('evaluate 3');
    expect(script.tell({ kind: 'evaluated', means: { loss: 2 } })).toEqual([
      'checkpoint 3',
      'execution 3 with scalars 4: a [0,8)',
    ]);
    saved(script, 3);
    script.tell({ kind: 'executed', metrics: [[3]], elapsedMs: 1 });
    saved(script, 4);
    script.tell({ kind: 'executed', metrics: [[3]], elapsedMs: 1 });
    script.tell({ kind: 'executed', metrics: [[3]], elapsedMs: 1 });
    // No better than before, but saved because it is the last.
    expect(script.tell({ kind: 'evaluated', means: { loss: 3 } })).toEqual(['checkpoint 6']);
    expect(script.state.evaluation.best).toEqual({ step: 3, loss: 2 });
    expect(saved(script, 6)).toEqual(['report checkpoint 6', 'complete finished']);
  });

  it('is saved at its best evaluation also while another save is under way: it waits for that one', () => {
    const script = new Script({ checkpoints: { everyMs: 1e6 }, evaluateEvery: 1 });
    script.joins('a', { local: true });
    script.tell({ kind: 'executed', metrics: [[5]], elapsedMs: 1 });
    expect(script.tell({ kind: 'evaluated', means: { loss: 2 } })).toEqual([]);
    expect(saved(script, 0)).toEqual([
      'report checkpoint 0',
      'checkpoint 1',
      'execution 1 with scalars 2: a [0,8)',
    ]);
    script.tell({ kind: 'executed', metrics: [[5]], elapsedMs: 1 });
    // No better than before: the run goes on.
    expect(script.tell({ kind: 'evaluated', means: { loss: 3 } })).toEqual([
      'execution 2 with scalars 3: a [0,5)',
    ]);
  });

  it('is saved after so much time, but not before the save under way is done', () => {
    const script = begun({ everyMs: 100 });
    script.joins('a', { local: true });
    script.nowMs = 150;
    expect(script.tell({ kind: 'executed', metrics: [[5]], elapsedMs: 1 }).join()).not.toContain(
      'checkpoint',
    );
    saved(script, 0);
    expect(script.tell({ kind: 'executed', metrics: [[5]], elapsedMs: 1 }).join()).not.toContain(
      'checkpoint',
    );
  });

  it('is saved less often when saving takes long', () => {
    const script = begun({ everyMs: 100 });
    script.joins('a', { local: true });
    script.nowMs = 10;
    saved(script, 0);
    script.nowMs = 199;
    expect(script.tell({ kind: 'executed', metrics: [[5]], elapsedMs: 1 }).join()).not.toContain(
      'checkpoint',
    );
    script.nowMs = 200;
    expect(script.tell({ kind: 'executed', metrics: [[5]], elapsedMs: 1 })).toContain('checkpoint 2');
  });

  it('reports once why it cannot be saved and when it can again, and continues', () => {
    const script = begun({ everySteps: 1 });
    const fails = (step: number) =>
      script.tellAll({ kind: 'saved', step, outcome: { problem: 'the disk is full' } });
    expect(fails(0)).toEqual(['notice no checkpoint of step 0: the disk is full; the run has none yet']);
    script.joins('a', { local: true });
    expect(script.tell({ kind: 'executed', metrics: [[5]], elapsedMs: 1 })).toContain('checkpoint 1');
    expect(fails(1)).toEqual([]);
    expect(script.tell({ kind: 'executed', metrics: [[5]], elapsedMs: 1 })).toContain('checkpoint 2');
    expect(saved(script, 2)).toEqual([
      'notice checkpoints can be saved again: step 2 is saved',
      'report checkpoint 2',
    ]);
  });

  it('is saved exactly after the steps that are named, and waits for each save', () => {
    const script = new Script({ checkpoints: { atSteps: [1, 2] } });
    expect(script.joins('a', { local: true })).toEqual(['execution 0 with scalars 1: a [0,8)']);
    expect(script.tell({ kind: 'executed', metrics: [[5]], elapsedMs: 1 }).slice(1)).toEqual([
      'checkpoint 1',
      'execution 1 with scalars 2: a [0,8)',
    ]);
    expect(script.tell({ kind: 'executed', metrics: [[4]], elapsedMs: 1 })).toEqual([
      'record 2: 32 samples, metrics 4, 1 members',
    ]);
    expect(saved(script, 1)).toEqual([
      'report checkpoint 1',
      'checkpoint 2',
      'execution 2 with scalars 3: a [0,5)',
    ]);
  });

  it('that is interrupted is saved before it ends, after the save under way', () => {
    const script = begun({ everySteps: 100 });
    script.joins('a', { local: true });
    expect(script.tell({ kind: 'interrupt' })).toEqual(['interrupt-execution']);
    expect(script.tell({ kind: 'executed', metrics: [[5]], elapsedMs: 1 })).toEqual([
      'record 1: 32 samples, metrics 5, 1 members',
    ]);
    expect(saved(script, 0)).toEqual(['report checkpoint 0', 'checkpoint 1']);
    expect(script.joins('b', { local: true }).join()).not.toContain('execution');
    expect(script.tellAll({ kind: 'saved', step: 1, outcome: { problem: 'no' } })).toEqual([
      'notice no checkpoint of step 1: no; the latest checkpoint is of step 0',
      'complete interrupted',
    ]);
  });

  it('that has diverged is not saved at its end', () => {
    const script = begun({ everySteps: 100 });
    saved(script, 0);
    script.joins('a', { local: true });
    expect(script.tell({ kind: 'executed', metrics: [], isBroken: true, elapsedMs: 1 }).at(-1)).toBe(
      'complete diverged',
    );
  });
});

describe('a run that is resumed', () => {
  it('takes the next step as if it had not been interrupted', () => {
    const settings = runSettings({ checkpoints: { everySteps: 100 } });
    const progress = { step: 3, optimizer: { t: 3 }, best: { step: 3, loss: 1 } };
    const script = new Script();
    Object.assign(script.state, initialState(settings, 0, progress));
    expect(script.joins('a', { local: true })).toEqual(['execution 3 with scalars 4 5: a [0,8)']);
  });

  it('and was at its end ends at once', () => {
    const progress = { step: 6, optimizer: { t: 6 }, best: null };
    const state = initialState(runSettings({ checkpoints: { everySteps: 100 } }), 0, progress);
    expect(coordinate(state, { kind: 'tick', secret: 's' }, 1).effects).toEqual([
      { kind: 'complete', reason: 'finished' },
    ]);
  });
});
