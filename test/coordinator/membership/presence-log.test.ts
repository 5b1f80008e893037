import { describe, expect, it } from 'vitest';
import { Script } from '../script.js';

/* What is printed of a machine that joins and leaves in a loop. */

/** Lets a member join and leave twice a second, each time as a new machine, until a time. @returns the lines that are printed */
function loop(script: Script, untilMs: number): string[] {
  const lines: string[] = [];
  for (let nowMs = script.nowMs + 500; nowMs <= untilMs; nowMs += 500) {
    const visitor = `visitor ${nowMs / 500}`;
    lines.push(...script.tick(nowMs), ...script.joins(visitor), ...script.leaves(visitor));
  }
  return lines.filter((line) => line.startsWith('notice'));
}

describe('a machine that joins and leaves in a loop', () => {
  it('is reported in twenty lines, then in one every ten seconds, and once more at the end', () => {
    const script = new Script({ minWorkers: 2 });
    script.joins('local', { local: true });
    const lines = loop(script, 60_000);
    expect(lines.slice(0, 2)).toEqual([
      'notice visitor 1 joined (wasm); 2 at work',
      'notice visitor 1 left (gone); 1 at work',
    ]);
    expect(lines).toHaveLength(20 + 6);
    expect(lines.slice(20)).toEqual([
      'notice 9 more joined and 9 more left; 1 at work',
      ...new Array(5).fill('notice 20 more joined and 20 more left; 1 at work'),
    ]);
    expect(script.tell({ kind: 'interrupt' })).toEqual(['interrupt-execution']);
    expect(script.tell({ kind: 'executed', metrics: [], elapsedMs: 0 })).toEqual([
      'notice 1 more joined and 1 more left; 1 at work',
      'complete interrupted',
    ]);
  });

  it('is reported in full again after ten quiet seconds', () => {
    const script = new Script({ minWorkers: 2 });
    loop(script, 15_000);
    script.tick(20_000);
    script.tick(30_000);
    expect(script.joins('a')).toEqual(['notice a joined (wasm); 1 at work']);
  });
});
