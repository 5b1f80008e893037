import { describe, expect, it } from 'vitest';
import { cutVector } from '../../shared/reduction/segments.js';
import type { WorkerEffect } from '../../worker/messages.js';
import { FIRST } from '../coordinator/script.js';
import { Script } from './script.js';

describe('work whose weights come in segments', () => {
  const cut = cutVector(8, [], 4);
  const segmented = (): Script => {
    const script = new Script().joins();
    script.tell({ kind: 'prepared', run: script.run, missing: [], weights: { count: 1, cut } });
    return script;
  };
  const works = (script: Script, step: number): readonly WorkerEffect[] =>
    script.hears({ kind: 'work', step, range: FIRST, weights: true });
  const segment = (script: Script, step: number, index: number, bytes = 4): readonly WorkerEffect[] =>
    script.hears({ kind: 'segment', step, vector: 0, index }, new Uint8Array(bytes));
  const kinds = (effects: readonly WorkerEffect[]): string[] => effects.map(({ kind }) => kind);

  it('begins at once, and loads them as they come, in any order', () => {
    const script = segmented();
    expect(kinds(works(script, 0))).toEqual(['expect', 'compute']);
    expect(segment(script, 0, 1)).toEqual([
      { kind: 'load', place: { vector: 0, index: 1 }, bytes: new Uint8Array(4) },
    ]);
    expect(kinds(segment(script, 0, 0))).toEqual(['load']);
  });

  it('waits behind other work with what has come, and goes on loading then', () => {
    const script = segmented();
    works(script, 0);
    segment(script, 0, 0);
    segment(script, 0, 1);
    expect(works(script, 1)).toEqual([]);
    expect(segment(script, 1, 0)).toEqual([]);
    expect(kinds(script.computed(0, FIRST))).toEqual(['send', 'expect', 'load', 'compute']);
    expect(kinds(segment(script, 1, 1))).toEqual(['load']);
  });

  it('is computed with what is there, and answered, when other weights come before they are complete', () => {
    const script = segmented();
    works(script, 0);
    segment(script, 0, 0);
    expect(kinds(works(script, 1))).toEqual(['stop-waiting']);
    expect(kinds(script.computed(0, FIRST))).toEqual(['send', 'expect', 'compute']);
  });

  it.each([
    ['comes twice', 0, 0, 4, 'segment 0 of vector 0 came twice'],
    ['is too short', 0, 1, 3, 'segment 1 of vector 0 has 3 bytes instead of 4'],
    ['is none of the vector', 0, 2, 4, 'segment 2 of vector 0 is none of 1 vectors of 2 segments'],
    ['is of another step', 1, 1, 4, 'a segment for step 1 that it did not announce'],
  ])('ends the worker when a segment %s', (_what, step, index, bytes, reason) => {
    const script = segmented();
    works(script, 0);
    segment(script, 0, 0);
    const end = segment(script, step, index, bytes).at(-1);
    expect(end).toMatchObject({ kind: 'end', exitReason: 'failed' });
    expect(end?.kind === 'end' && end.reason).toContain(reason);
  });

  it('ends the worker when a segment comes that was never announced, or is over a link that is gone', () => {
    const script = segmented();
    expect(segment(script, 0, 0).at(-1)).toMatchObject({ kind: 'end' });
    const again = segmented();
    works(again, 0);
    expect(kinds(again.tell({ kind: 'closed', reason: 'cut' }))).toContain('interrupt');
    again.joins();
    again.tell({ kind: 'prepared', run: again.run, missing: [], weights: { count: 1, cut } });
    expect(segment(again, 0, 0).at(-1)).toMatchObject({ kind: 'end' });
  });
});
