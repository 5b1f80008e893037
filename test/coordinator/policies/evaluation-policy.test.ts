import { describe, expect, it } from 'vitest';
import { initialState, progressOf } from '../../../coordinator/coordinator-state.js';
import type { RunSettings } from '../../../coordinator/state/run-settings.js';
import { earlyStopping } from '../../../shared/optim/early-stopping.js';
import { reduceOnPlateau } from '../../../shared/optim/plateau.js';
import { Script } from '../script.js';
import { runSettings } from '../settings.js';

/** A local run that is evaluated after every step, with these losses. */
function run(settings: Partial<RunSettings>, losses: readonly number[]): { script: Script; lines: string[] } {
  const script = new Script({ steps: 9, evaluateEvery: 1, ...settings });
  const lines = script.joins('a', { local: true });
  for (const loss of losses) {
    lines.push(...script.tell({ kind: 'executed', metrics: [[1]], elapsedMs: 1 }));
    lines.push(...script.tell({ kind: 'evaluated', means: { loss } }));
  }
  return { script, lines };
}

/** Its scalar is the learning rate. */
const OPTIMIZER = {
  ...runSettings().optimizer,
  update: (state: Readonly<Record<string, number>>, rate: number) => ({ state, scalars: [rate] }),
};
const PLATEAU = { settings: reduceOnPlateau({ factor: 0.5, patience: 1 }), baseRate: 1 };

describe('evaluations', () => {
  it('come after every so many steps, at which executions end, and after the last', () => {
    const script = new Script({ steps: 6, evaluateEvery: 4 });
    const seen = script.joins('a', { local: true });
    // Three steps of an epoch, then one.
    seen.push(...script.tell({ kind: 'executed', metrics: [[1], [1]], elapsedMs: 1 }));
    seen.push(...script.tell({ kind: 'executed', metrics: [[1]], elapsedMs: 1 }));
    expect(seen.join()).not.toContain('evaluate');
    expect(script.tell({ kind: 'executed', metrics: [[1]], elapsedMs: 1 }).at(-1)).toBe('evaluate 4');
    script.tell({ kind: 'evaluated', means: { loss: 1 } });
    script.tell({ kind: 'executed', metrics: [[1]], elapsedMs: 1 });
    expect(script.tell({ kind: 'executed', metrics: [[1]], elapsedMs: 1 }).at(-1)).toBe('evaluate 6');
  });

  it('lower the learning rate of the following steps on a plateau', () => {
    const { lines } = run({ plateau: PLATEAU, optimizer: OPTIMIZER }, [1, 1]);
    expect(lines.filter((line) => line.startsWith('execution'))).toEqual([
      'execution 0 with scalars 1: a [0,8)',
      'execution 1 with scalars 1: a [0,8)',
      'execution 2 with scalars 0.5: a [0,5)',
    ]);
    expect(lines).toContain(
      'notice step 2: evaluations have stopped improving, the learning rate falls to 0.5',
    );
  });

  it('end the run when none is better for long enough, and the best weights are restored', () => {
    const { script, lines } = run({ earlyStopping: earlyStopping({ patience: 2 }) }, [3, 2, 4, 3]);
    expect(lines.filter((line) => line === 'keep-best')).toHaveLength(2);
    expect(lines.slice(-2)).toEqual(['restore-best', 'complete stopped']);
    expect(script.state.training.step).toBe(4);
    expect(script.state.evaluation).toMatchObject({ best: { step: 2, loss: 2 }, restored: 2 });
  });

  it('end it with the last weights when the settings do not ask for the best', () => {
    const stopping = earlyStopping({ patience: 1, restoreBest: false });
    const { script, lines } = run({ earlyStopping: stopping }, [2, 4]);
    expect(lines.join()).not.toContain('-best');
    expect(lines.at(-1)).toBe('complete stopped');
    expect(script.state.evaluation.restored).toBeUndefined();
  });

  it('decide the same when the run is resumed from any of its states', () => {
    const settings = {
      plateau: PLATEAU,
      optimizer: OPTIMIZER,
      earlyStopping: earlyStopping({ patience: 3 }),
    };
    const losses = [3, 2, 4, 3, 2.5];
    const whole = run(settings, losses);
    expect(whole.lines.at(-1)).toBe('complete stopped');
    for (let cut = 1; cut < losses.length; cut++) {
      const { script: first } = run(settings, losses.slice(0, cut));
      const saved = JSON.parse(JSON.stringify(progressOf(first.state))) as ReturnType<typeof progressOf>;
      const script = new Script({ steps: 9, evaluateEvery: 1, ...settings });
      Object.assign(
        script.state,
        initialState(runSettings({ steps: 9, evaluateEvery: 1, ...settings }), 0, saved),
      );
      const lines = script.joins('a', { local: true });
      for (const loss of losses.slice(cut)) {
        lines.push(...script.tell({ kind: 'executed', metrics: [[1]], elapsedMs: 1 }));
        lines.push(...script.tell({ kind: 'evaluated', means: { loss } }));
      }
      expect(lines.filter((line) => line.startsWith('execution'))).toEqual(
        whole.lines.filter((line) => line.startsWith('execution')).slice(cut),
      );
      expect(progressOf(script.state)).toEqual(progressOf(whole.script.state));
      expect(script.state.evaluation.restored).toBe(2);
    }
  });
});

describe('a run that has diverged', () => {
  it('records whether a step or an evaluation was not finite', () => {
    const { script, lines } = run({}, [Number.NaN]);
    expect(lines.at(-1)).toBe('complete diverged');
    expect(script.state.training.diverged).toBe('evaluation');
    const other = new Script({});
    other.joins('a', { local: true });
    other.tell({ kind: 'executed', metrics: [], isBroken: true, elapsedMs: 1 });
    expect(other.state.training.diverged).toBe('step');
  });
});
