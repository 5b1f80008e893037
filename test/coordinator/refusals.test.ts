import { describe, expect, it } from 'vitest';
import { FIRST, Script, SECOND } from './script.js';
import { hello } from './settings.js';

/** A run of one step that goes on, at which someone knocks again and again. */
function besieged(): { script: Script; knock: (proof?: string) => string[] } {
  const script = new Script({ minWorkers: 2, steps: 1 });
  for (const id of ['a', 'b']) script.joins(id);
  let strangers = 0;
  const knock = (proof = '0'.repeat(64)): string[] => {
    const id = `x${++strangers}`;
    script.connects(id);
    return script.says(id, hello('mallory', { proof }));
  };
  return { script, knock };
}

const notices = (lines: readonly string[]): string[] => lines.filter((line) => line.startsWith('notice '));

describe('refusals', () => {
  it('of a thousand wrong tokens are told once in full, and counted ten seconds later', () => {
    const { script, knock } = besieged();
    const told = Array.from({ length: 1000 }, () => knock());
    expect(told.flatMap(notices)).toEqual([
      'notice refused x1: wrong token: copy the whole join line that the run printed',
    ]);
    // Each is told why, whatever is printed.
    expect(told.every((lines) => lines.some((line) => / <- refuse/.test(line)))).toBe(true);
    const ticks = Array.from({ length: 42 }, (_, i) => notices(script.tick((i + 1) * 500)));
    const said = ticks.map((lines, i) => ({ lines: lines.filter((line) => /refused/.test(line)), i }));
    expect(said.filter(({ lines }) => lines.length > 0)).toEqual([
      {
        i: 19,
        lines: ['notice refused 999 more: wrong token: copy the whole join line that the run printed'],
      },
    ]);
    // Nobody has come for ten seconds: the next one is new.
    expect(notices(knock())).toHaveLength(1);
  });

  it('that were counted only are told at the end of the run', () => {
    const { script, knock } = besieged();
    for (let i = 0; i < 3; i++) knock();
    script.answers('a', 0, FIRST);
    script.answers('b', 0, SECOND);
    script.tell({ kind: 'finished', metrics: [1] });
    expect(script.tell({ kind: 'evaluated', means: {} })).toContain(
      'notice refused 2 more: wrong token: copy the whole join line that the run printed',
    );
  });

  it('for another reason are told as well, up to a bound on reasons', () => {
    const { script, knock } = besieged();
    knock();
    const told = Array.from({ length: 1000 }, (_, i) => {
      script.connects(`y${i}`);
      return script.tell({ kind: 'garbled', id: `y${i}`, reason: `reason ${i}` });
    });
    expect(told.flatMap(notices)).toHaveLength(15);
    for (let nowMs = 500; nowMs < 10_000; nowMs += 500) script.tick(nowMs);
    expect(notices(script.tick(10_000)).filter((line) => /refused/.test(line))).toEqual([
      'notice refused 985 more: for other reasons',
    ]);
  });
});
