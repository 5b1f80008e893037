import { describe, expect, it } from 'vitest';
import { FIRST, Script, SECOND } from '../script.js';
import { hello } from '../settings.js';

/** A run of one step to which an unauthenticated peer connects again and again. */
function flooded(): { script: Script; connectWithWrongToken: (proof?: string) => string[] } {
  const script = new Script({ minWorkers: 2, steps: 1 });
  for (const id of ['a', 'b']) script.joins(id);
  let unauthenticatedPeers = 0;
  const connectWithWrongToken = (proof = '0'.repeat(64)): string[] => {
    const id = `x${++unauthenticatedPeers}`;
    script.connects(id);
    return script.says(id, hello('mallory', { proof }));
  };
  return { script, connectWithWrongToken };
}

const notices = (lines: readonly string[]): string[] => lines.filter((line) => line.startsWith('notice '));

describe('refusals', () => {
  it('of a thousand wrong tokens are reported once in full, and counted ten seconds later', () => {
    const { script, connectWithWrongToken } = flooded();
    const told = Array.from({ length: 1000 }, () => connectWithWrongToken());
    expect(told.flatMap(notices)).toEqual([
      'notice refused x1: wrong token: copy the whole join line that the run printed',
    ]);
    // Each peer is told the reason, whatever is printed.
    expect(told.every((lines) => lines.some((line) => / <- refuse/.test(line)))).toBe(true);
    const ticks = Array.from({ length: 42 }, (_, i) => notices(script.tick((i + 1) * 500)));
    const said = ticks.map((lines, i) => ({ lines: lines.filter((line) => /refused/.test(line)), i }));
    expect(said.filter(({ lines }) => lines.length > 0)).toEqual([
      {
        i: 19,
        lines: ['notice refused 999 more: wrong token: copy the whole join line that the run printed'],
      },
    ]);
    // No peer was refused for ten seconds: the next one is reported in full again.
    expect(notices(connectWithWrongToken())).toHaveLength(1);
  });

  it('that were only counted are reported at the end of the run', () => {
    const { script, connectWithWrongToken } = flooded();
    for (let i = 0; i < 3; i++) connectWithWrongToken();
    script.answers('a', 0, FIRST);
    script.answers('b', 0, SECOND);
    script.tell({ kind: 'finished', metrics: [1] });
    expect(script.tell({ kind: 'evaluated', means: {} })).toContain(
      'notice refused 2 more: wrong token: copy the whole join line that the run printed',
    );
  });

  it('for other reasons are reported as well, up to a bound on reasons', () => {
    const { script, connectWithWrongToken } = flooded();
    connectWithWrongToken();
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
