import { describe, expect, it } from 'vitest';
import type { RunSettings } from '../../coordinator/state.js';
import { Script } from './script.js';

const AUDIT = { fraction: 1e-9, seed: 1 };
const ALL = { from: 0, to: 8 };
const DIFFER = [
  { memberId: 'a', hash: 'wrong' },
  { memberId: 'b', hash: 'right' },
  { memberId: 'c', hash: 'right' },
];

/** `a` has done steps alone, and nobody looked; in the step after them its work turns out to be wrong. */
function foundOut(steps: number, settings: Partial<RunSettings> = {}): { script: Script; effects: string[] } {
  const script = new Script({ audit: AUDIT, batch: 32, samples: 32 * 1000, steps: 1000, ...settings });
  script.joins('a');
  for (let step = 0; step < steps; step++) {
    script.nowMs += 10;
    script.answers('a', step, ALL);
    script.tell({ kind: 'finished', metrics: [1] });
  }
  for (const id of ['b', 'c']) script.joins(id);
  // All three have done the same task.
  const [task] = script.state.round?.roots ?? [];
  if (task === undefined) throw new Error('no round is open');
  for (const answer of DIFFER.map(({ memberId }, slot) => ({
    memberId,
    isTrusted: false,
    partials: [{ node: { level: 3, index: 0 }, slot }],
    hash: undefined,
  })))
    task.answers.push(answer);
  task.holders = [];
  script.state.round?.held.clear();
  const effects = script.tellAll({
    kind: 'compared',
    step: steps,
    task: task.id,
    hashes: DIFFER,
    parameter: 'w',
  });
  return { script, effects };
}

describe('a member that was believed, and is found to be wrong', () => {
  it('takes the run back to the latest kept state before all of what it said', () => {
    const { script, effects } = foundOut(20);
    expect(effects).toContain('report reverted to 0 for a since 0');
    expect(effects).toContain('restore 0, forget 16');
    expect(script.state.step).toBe(0);
    // Those who owe nothing stay, and are sent the weights of then.
    expect(effects.filter((line) => line.includes(' <- work 0 '))).toEqual([
      expect.stringMatching(/^b <- work 0 .* \+ weights$/),
      expect.stringMatching(/^c <- work 0 .* \+ weights$/),
    ]);
    expect([...script.state.members.keys()]).toEqual(['b', 'c']);
  });

  it('takes it nowhere when nothing was to be audited: that it was believed is told', () => {
    const { script, effects } = foundOut(3, { audit: { fraction: 0, seed: 1 } });
    expect(effects).toContain(
      'notice a has been believed since step 0, which stays in the weights: nothing was to be audited',
    );
    expect(script.state.step).toBe(3);
  });
});

describe('states that can be gone back to', () => {
  it('are few, the first among them, and further and further apart', () => {
    const script = new Script({ audit: AUDIT, batch: 32, samples: 32 * 1000, steps: 1000 });
    script.joins('a');
    const kept: string[] = [];
    for (let step = 0; step < 300; step++) {
      script.nowMs += 10;
      script.answers('a', step, ALL);
      kept.push(...script.tell({ kind: 'finished', metrics: [1] }).filter((line) => line.startsWith('keep')));
    }
    expect(kept).toEqual([
      'keep 16, forget none',
      'keep 32, forget none',
      'keep 48, forget none',
      'keep 64, forget 16 48',
      'keep 96, forget none',
      'keep 128, forget 32 96',
      'keep 192, forget none',
      'keep 256, forget 64 192',
    ]);
    expect(script.state.kept.map(({ step }) => step)).toEqual([0, 128, 256]);
  });

  it('are none where nothing is audited, or nobody is remote', () => {
    const remote = new Script({ audit: { fraction: 0, seed: 1 } });
    remote.joins('a');
    const local = new Script({ audit: AUDIT });
    local.joins('a', { local: true });
    expect([remote.state.kept, local.state.kept]).toEqual([[], []]);
  });
});
