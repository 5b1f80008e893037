import { describe, expect, it } from 'vitest';
import { Script } from './script.js';

describe('looking at backprop', () => {
  it('is done before and behind every watched step, and strides end there', () => {
    const script = new Script({ watchEvery: 2 });
    expect(script.joins('a', { local: true })).toEqual([]);
    expect(script.state.activity).toBe('watching');
    expect(script.tell({ kind: 'watched' })).toEqual(['stride 0 with scalars 1: a [0,8)']);
    expect(script.tell({ kind: 'strided', metrics: [[5]], elapsedMs: 1 }).slice(1)).toEqual(['watch 1']);
    expect(script.tell({ kind: 'watched' })).toEqual(['stride 1 with scalars 2: a [0,8)']);
    expect(script.tell({ kind: 'strided', metrics: [[4]], elapsedMs: 1 }).slice(1)).toEqual([
      'watch 2 and ahead',
    ]);
    expect(script.tell({ kind: 'watched' })).toEqual(['stride 2 with scalars 3: a [0,5)']);
    // The epoch ends: its evaluation comes first.
    expect(script.tell({ kind: 'strided', metrics: [[3]], elapsedMs: 1 }).slice(1)).toEqual(['evaluate 3']);
    expect(script.tell({ kind: 'evaluated', means: { loss: 1 } })).toEqual(['watch 3']);
  });

  it('goes on to the very end, and not beyond', () => {
    const script = new Script({ watchEvery: 1, steps: 2 });
    script.joins('a', { local: true });
    const seen = ['watched', 'strided', 'watched', 'strided', 'evaluated', 'watched'].map((kind) => {
      if (kind === 'strided') return script.tell({ kind, metrics: [[1]], elapsedMs: 1 }).at(-1);
      return script.tell(kind === 'evaluated' ? { kind, means: { loss: 1 } } : { kind: 'watched' }).at(-1);
    });
    expect(seen).toEqual([
      'stride 0 with scalars 1: a [0,8)',
      'watch 1 and ahead',
      'stride 1 with scalars 2: a [0,8)',
      'evaluate 2',
      'watch 2',
      'complete finished',
    ]);
  });

  it('is done in rounds too', () => {
    const script = new Script({ watchEvery: 3 });
    script.joins('far');
    expect(script.tell({ kind: 'watched' }).at(-1)).toBe('far <- work 0 [0,8) + weights');
    script.answers('far', 0, { from: 0, to: 8 });
    expect(script.tell({ kind: 'finished', metrics: [1] }).at(-1)).toBe('watch 1');
    expect(script.tell({ kind: 'watched' }).at(-1)).toBe('far <- work 1 [0,8) + weights');
    script.answers('far', 1, { from: 0, to: 8 });
    expect(script.tell({ kind: 'finished', metrics: [1] }).at(-1)).toBe('far <- work 2 [0,5) + weights');
  });
});
