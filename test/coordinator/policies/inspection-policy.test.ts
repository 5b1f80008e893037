import { describe, expect, it } from 'vitest';
import { Script } from '../script.js';

describe('an inspection of backprop', () => {
  it('is done before and after every inspected step, and executions end there', () => {
    const script = new Script({ inspectEvery: 2 });
    expect(script.joins('a', { local: true })).toEqual([]);
    expect(script.state.training.activity).toBe('inspecting');
    expect(script.tell({ kind: 'inspected' })).toEqual(['execution 0 with scalars 1: a [0,8)']);
    expect(script.tell({ kind: 'executed', metrics: [[5]], elapsedMs: 1 }).slice(1)).toEqual(['inspect 1']);
    expect(script.tell({ kind: 'inspected' })).toEqual(['execution 1 with scalars 2: a [0,8)']);
    expect(script.tell({ kind: 'executed', metrics: [[4]], elapsedMs: 1 }).slice(1)).toEqual([
      'inspect 2 and ahead',
    ]);
    expect(script.tell({ kind: 'inspected' })).toEqual(['execution 2 with scalars 3: a [0,5)']);
    // The epoch ends: its evaluation comes first.
    expect(script.tell({ kind: 'executed', metrics: [[3]], elapsedMs: 1 }).slice(1)).toEqual(['evaluate 3']);
    expect(script.tell({ kind: 'evaluated', means: { loss: 1 } })).toEqual(['inspect 3']);
  });

  it('is done up to the last step', () => {
    const script = new Script({ inspectEvery: 1, steps: 2 });
    script.joins('a', { local: true });
    const seen = ['inspected', 'executed', 'inspected', 'executed', 'evaluated', 'inspected'].map((kind) => {
      if (kind === 'executed') return script.tell({ kind, metrics: [[1]], elapsedMs: 1 }).at(-1);
      return script.tell(kind === 'evaluated' ? { kind, means: { loss: 1 } } : { kind: 'inspected' }).at(-1);
    });
    expect(seen).toEqual([
      'execution 0 with scalars 1: a [0,8)',
      'inspect 1 and ahead',
      'execution 1 with scalars 2: a [0,8)',
      'evaluate 2',
      'inspect 2',
      'complete finished',
    ]);
  });

  it('is done in distributed steps too', () => {
    const script = new Script({ inspectEvery: 3 });
    script.joins('far');
    expect(script.tell({ kind: 'inspected' }).at(-1)).toBe('far <- work 0 [0,8) + weights');
    script.answers('far', 0, { from: 0, to: 8 });
    expect(script.tell({ kind: 'finished', metrics: [1] }).at(-1)).toBe('inspect 1');
    expect(script.tell({ kind: 'inspected' }).at(-1)).toBe('far <- work 1 [0,8) + weights');
    script.answers('far', 1, { from: 0, to: 8 });
    expect(script.tell({ kind: 'finished', metrics: [1] }).at(-1)).toBe('far <- work 2 [0,5) + weights');
  });
});
