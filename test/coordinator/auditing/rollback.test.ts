import { describe, expect, it } from 'vitest';
import {
  completeRollback,
  initialAuditing,
  keepWhenDue,
  mustConfirmAll,
  onExpelled,
  onUnverified,
} from '../../../coordinator/auditing/rollback.js';
import type { RunSettings } from '../../../coordinator/state/run-settings.js';
import { LOST_LEDGER } from '../../../coordinator/storage/member-ledger.js';
import { Script } from '../script.js';

const AUDIT = { fraction: 1e-9, seed: 1 };
const ALL = { from: 0, to: 8 };
const DIFFER = [
  { memberId: 'a', hash: 'wrong' },
  { memberId: 'b', hash: 'right' },
  { memberId: 'c', hash: 'right' },
];

/** `a` has done steps alone, without audit; in the next step its answer is found to be wrong. */
function detectedAfter(
  steps: number,
  settings: Partial<RunSettings> = {},
): { script: Script; effects: string[] } {
  const script = new Script({ audit: AUDIT, batch: 32, samples: 32 * 1000, steps: 1000, ...settings });
  script.joins('a');
  for (let step = 0; step < steps; step++) {
    script.nowMs += 10;
    script.answers('a', step, ALL);
    script.tell({ kind: 'finished', metrics: [1] });
  }
  for (const id of ['b', 'c']) script.joins(id);
  // All three have answered the same task.
  const [task] = script.state.scheduling.current?.roots ?? [];
  if (task === undefined) throw new Error('no distributed step is open');
  for (const answer of DIFFER.map(({ memberId }, buffer) => ({
    memberId,
    isTrusted: false,
    doubt: 'none' as const,
    partialSums: [{ node: { level: 3, index: 0 }, buffer }],
    hash: undefined,
    isConfirmed: false,
  })))
    task.answers.push(answer);
  task.assignees = [];
  script.state.scheduling.current?.held.clear();
  const effects = script.tellAll({
    kind: 'compared',
    step: steps,
    task: task.id,
    hashes: DIFFER,
    parameter: 'w',
  });
  return { script, effects };
}

describe('a member whose unverified sums are in the weights, and that is found to be wrong', () => {
  it('makes the run roll back to the latest snapshot from before its first unverified sum', () => {
    const { script, effects } = detectedAfter(20);
    expect(effects).toContain('report rolled back to 0 for a since 0');
    expect(effects).toContain('restore-snapshot 0, forget 16');
    expect(script.state.training.step).toBe(0);
    // Members that owe nothing stay, and are sent the weights of that snapshot.
    expect(effects.filter((line) => line.includes(' <- work 0 '))).toEqual([
      expect.stringMatching(/^b <- work 0 .* \+ weights$/),
      expect.stringMatching(/^c <- work 0 .* \+ weights$/),
      // Nobody has confirmed anything of either yet.
      'c <- work 0 [0,4)',
      'b <- work 0 [4,8)',
    ]);
    expect([...script.state.membership.members.keys()]).toEqual(['b', 'c']);
  });

  it('causes no rollback when nothing is audited: a notice says that its sums stay in the weights', () => {
    const { script, effects } = detectedAfter(3, { audit: { fraction: 0, seed: 1 } });
    expect(effects).toContain(
      'notice a computed unverified sums since step 0, which stay in the weights: no snapshot before that step was kept',
    );
    expect(script.state.training.step).toBe(3);
  });
});

it('a run that has lost its ledger goes back to its first state when a machine is expelled', () => {
  const kept = [0, 32].map((step) => ({ step, optimizer: {}, best: null }));
  const auditing = initialAuditing({ fraction: 0.1 }, 40, { ledger: LOST_LEDGER, kept });
  const expelled = { event: 'assignment', step: 41, reason: 'stands for the evidence' } as const;
  const { isRollingBack } = onExpelled(auditing, { machine: 'a key', name: 'eve' }, 41, expelled);
  expect(isRollingBack).toBe(true);
  expect(completeRollback(auditing).progress.step).toBe(0);
  // Then nothing of anybody is in the weights.
  expect(onExpelled(auditing, { machine: 'other', name: 'eve' }, 1, expelled).isRollingBack).toBe(false);
});

describe('a run that is thrown back again and again', () => {
  it('counts nothing that is not confirmed from the fifth rollback on', () => {
    const auditing = initialAuditing({ fraction: 0.1 }, 0, undefined);
    keepWhenDue(auditing, { step: 0, optimizer: {}, best: null });
    const expelled = { event: 'assignment', step: 9, reason: 'stands for the evidence' } as const;
    const told: (string | undefined)[] = [];
    for (let times = 1; times <= 5; times++) {
      expect(mustConfirmAll(auditing)).toBe(false);
      onUnverified(auditing, `key ${times}`, 5);
      const { effects, isRollingBack } = onExpelled(
        auditing,
        { machine: `key ${times}`, name: 'eve' },
        9,
        expelled,
      );
      expect(isRollingBack).toBe(true);
      told.push(effects.map((effect) => (effect.kind === 'notice' ? effect.text : effect.kind)).join());
      completeRollback(auditing);
    }
    expect(mustConfirmAll(auditing)).toBe(true);
    expect(told[3]).toBe('eve computed unverified sums since step 5: the run rolls back from step 9 to 0');
    expect(told[4]).toContain(
      'it has been thrown back 5 times, so from now on no result of a remote member counts',
    );
  });

  it('waits for a second member then, and does not take the word of one', () => {
    const memory = {
      ledger: { unverified: {}, bases: [], rollbacks: 5, expulsions: {}, banned: [] },
      kept: [],
    };
    const script = new Script({ audit: AUDIT, batch: 32, samples: 32 * 1000, steps: 1000 }, memory);
    script.joins('a');
    expect(script.answers('a', 0, ALL)).toEqual([
      'notice step 0 waits: nobody can confirm what a computed of the leaves 0 to 8, and it does not count without; let another machine join',
    ]);
    expect(script.joins('b')).toContain('b <- work 0 [0,8) + weights');
  });
});

describe('checkpoints that a rollback undoes', () => {
  it('are removed before anybody is told', () => {
    const { script, effects } = detectedAfter(20, { checkpoints: { everySteps: 10 } });
    // The latest save is still under way.
    expect(effects.some((line) => /^(report expelled|report rolled|restore|forget)/.test(line))).toBe(false);
    const saved = { kind: 'saved', step: 20, outcome: { weightsSha256: '', sha256: '' } } as const;
    expect(script.tellAll(saved).at(-1)).toBe('forget checkpoints after 0');
    const forgot = script.tellAll({ kind: 'forgot', after: 0, outcome: { newest: 0 } });
    expect(forgot.slice(0, 4)).toEqual([
      expect.stringMatching(/^report expelled a /),
      'report rolled back to 0 for a since 0',
      'restore-snapshot 0, forget 16',
      'checkpoint 0',
    ]);
  });
});

describe('snapshots', () => {
  it('are few, always include the first state, and are further and further apart', () => {
    const script = new Script({ audit: AUDIT, batch: 32, samples: 32 * 1000, steps: 1000 });
    script.joins('a');
    const kept: string[] = [];
    for (let step = 0; step < 300; step++) {
      script.nowMs += 10;
      script.answers('a', step, ALL);
      kept.push(...script.tell({ kind: 'finished', metrics: [1] }).filter((line) => line.startsWith('keep')));
    }
    expect(kept).toEqual([
      'keep-snapshot 16, forget none',
      'keep-snapshot 32, forget none',
      'keep-snapshot 48, forget none',
      'keep-snapshot 64, forget 16 48',
      'keep-snapshot 96, forget none',
      'keep-snapshot 128, forget 32 96',
      'keep-snapshot 192, forget none',
      'keep-snapshot 256, forget 64 192',
    ]);
    expect(script.state.auditing.kept.map(({ step }) => step)).toEqual([0, 128, 256]);
  });

  it('are not kept when nothing is audited, or nobody is remote', () => {
    const remote = new Script({ audit: { fraction: 0, seed: 1 } });
    remote.joins('a');
    const local = new Script({ audit: AUDIT });
    local.joins('a', { local: true });
    expect([remote.state.auditing.kept, local.state.auditing.kept]).toEqual([[], []]);
  });
});
