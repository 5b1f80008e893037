import { describe, expect, it } from 'vitest';
import { Script } from '../script.js';

/** What a resumed run remembers that has expelled machines. */
function expelled(machines: readonly string[]) {
  const expulsions = Object.fromEntries(machines.map((machine) => [machine, { wrong: 1, silent: 0 }]));
  return { ledger: { unverified: {}, bases: [], rollbacks: 0, expulsions, banned: [] }, kept: [] };
}

const KEY = 'k'.repeat(43);

describe('a run that waits for its workers', () => {
  it('does not wait for a machine that it has expelled, and says so: it would stand still', () => {
    const script = new Script({ minWorkers: 3 }, expelled(['liar/liar']));
    script.connects('liar');
    script.joins('a');
    expect(script.joins('b')).toEqual([
      'notice b joined (wasm); 2 at work',
      'notice the run begins with 2 of 3 workers (--min-workers), as it has expelled others',
      'a <- work 0 [0,4) + weights',
      'b <- work 0 [4,8) + weights',
    ]);
  });

  it.each([
    ['a machine with a key, which is remembered by its key and its place', [KEY, 'x/liar'], 2],
    ['a machine with a key that was expelled at two places', [KEY, 'x/liar', 'y/liar'], 1],
    ['machines without keys', ['x/liar', 'y/other'], 1],
    ['more machines than it waits for', ['x/1', 'x/2', 'x/3', 'x/4'], 1],
  ])('counts %s', (_what, machines, wanted) => {
    const script = new Script({ minWorkers: 3 }, expelled(machines));
    for (let joined = 1; joined < wanted; joined++)
      expect(script.joins(`${joined}`).some((line) => line.includes('<- work'))).toBe(false);
    expect(script.joins('last').some((line) => line.includes('<- work'))).toBe(true);
  });

  it('says how many are missing, less and less often, until it begins', () => {
    const script = new Script({ minWorkers: 3 });
    script.joins('a', { local: true });
    script.joins('b', { local: true });
    const told: string[] = [];
    for (let nowMs = 0; nowMs <= 90_000; nowMs += 500)
      for (const line of script.tick(nowMs)) told.push(`${nowMs / 1000} s: ${line}`);
    const rest = '2 of 3 workers are ready (--min-workers 3)';
    expect(told).toEqual([
      `10 s: notice the run has not begun for 10 s: ${rest}`,
      `20 s: notice the run has not begun for 20 s: ${rest}`,
      `40 s: notice the run has not begun for 40 s: ${rest}`,
      `80 s: notice the run has not begun for 80 s: ${rest}`,
    ]);
    script.joins('c', { local: true });
    // It has begun, and its first execution ends at the next step.
    expect(script.tick(200_000)).toEqual(['interrupt-execution']);
  });

  it('says nothing where any worker will do', () => {
    const script = new Script();
    script.tick(0);
    expect(script.tick(1000)).toEqual([]);
    for (let nowMs = 1500; nowMs <= 30_000; nowMs += 500) expect(script.tick(nowMs)).toEqual([]);
  });
});
