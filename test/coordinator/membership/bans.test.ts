import { createPrivateKey } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { bansToUndo, ledgerOf } from '../../../coordinator/coordinator-state.js';
import { decodeLedger, encodeLedger } from '../../../coordinator/storage/member-ledger.js';
import { createMachineKey, proveMachine } from '../../../shared/link/machine-key.js';
import { Script } from '../script.js';
import { hello, NONCE, RUN_ID } from '../settings.js';

const HANDSHAKE = { run: RUN_ID, coordinatorNonce: NONCE, workerNonce: NONCE };
const PROOF = proveMachine(createPrivateKey(createMachineKey()), HANDSHAKE);
const BANNED = 'the operator of this run has banned this machine';

function ban(script: Script, who: string): string[] {
  return script.tellAll({ kind: 'remove', who, isBanned: true });
}

/** @returns why a machine that says hello is refused; undefined when it is not */
function arrives(script: Script, id: string, name: string, machine?: typeof PROOF): string | undefined {
  script.connects(id);
  const lines = script.says(id, hello(name, { ...(machine && { machine }) }));
  return lines.find((line) => line.startsWith(`${id} <- refuse: `))?.slice(`${id} <- refuse: `.length);
}

/** `eve` and `bob` are at work on step 0; `eve` has a key. */
function twoAtWork(settings: ConstructorParameters<typeof Script>[0] = {}): Script {
  const script = new Script({ minWorkers: 2, ...settings });
  expect(arrives(script, 'one', 'eve', PROOF)).toBeUndefined();
  script.says('one', { kind: 'ready' });
  expect(arrives(script, 'two', 'bob')).toBeUndefined();
  expect(script.says('two', { kind: 'ready' })).toContain('one <- work 0 [0,4) + weights');
  return script;
}

describe('a machine that the operator bans while the run goes on', () => {
  it('leaves at once, what it has answered and what it owes is computed by others, and it is kept out', () => {
    const script = twoAtWork();
    script.answers('one', 0, { from: 0, to: 4 });
    const effects = ban(script, 'eve');
    expect(effects).toContain(`report banned eve, machine ${PROOF.key}`);
    expect(effects).toContain(`one <- refuse: ${BANNED}`);
    expect(effects).toContain('release 100');
    expect(effects).toContain('two <- work 0 [0,4)');
    expect(arrives(script, 'three', 'mallory', PROOF)).toBe(BANNED);
    expect(arrives(script, 'four', 'eve')).toBe(BANNED);
    expect(arrives(script, 'five', 'dave')).toBeUndefined();
  });

  it('named by the id of a member, is kept out without others of its name', () => {
    const script = twoAtWork();
    ban(script, 'one');
    expect(script.state.membership.members.has('one')).toBe(false);
    expect(arrives(script, 'three', 'mallory', PROOF)).toBe(BANNED);
    expect(arrives(script, 'four', 'eve')).toBeUndefined();
  });

  it('is kept out after a restart of the coordinator', () => {
    const script = twoAtWork();
    ban(script, 'eve');
    const ledger = ledgerOf(script.state);
    if (ledger === undefined) throw new Error('nothing is remembered');
    const stored = decodeLedger(encodeLedger(ledger));
    const again = new Script({}, stored && { ledger: stored, kept: [] });
    expect(arrives(again, 'three', 'mallory', PROOF)).toBe(BANNED);
    expect(arrives(again, 'four', 'eve')).toBe(BANNED);
  });

  it('leaves nothing in the weights that nobody has confirmed, where the run can go back', () => {
    const script = new Script({ audit: { fraction: 1e-9, seed: 1 }, samples: 32_000, steps: 1000 });
    script.joins('eve');
    for (let step = 0; step < 20; step++) {
      script.answers('eve', step, { from: 0, to: 8 });
      // The last sum is in the weights only when this has come.
      if (step < 19) script.tell({ kind: 'finished', metrics: [1] });
    }
    script.joins('bob');
    expect(ban(script, 'eve').filter((line) => line.startsWith('re'))).toEqual([]);
    const effects = script.tellAll({ kind: 'finished', metrics: [1] });
    expect(effects.filter((line) => /^(report (banned|rolled)|restore)/.test(line))).toEqual([
      'report banned eve, machine eve/eve',
      'report rolled back to 0 for eve since 0',
      'restore-snapshot 0, forget 16',
    ]);
    expect(script.state.training.step).toBe(0);
  });

  it.each([
    ['by its key', PROOF.key, PROOF.key],
    ['by its name', 'eve', '10.0.0.1/eve'],
  ])('%s leaves nothing in the weights of before a restart either', (_how, who, machine) => {
    const vectors = { optimizer: { t: 0 }, best: null };
    const ledger = { unverified: { [machine]: 12 }, bases: [8], rollbacks: 0, expulsions: {}, banned: [] };
    const script = new Script(
      { audit: { fraction: 0.1, seed: 1 }, samples: 32_000, steps: 1000, banned: [who, 'nobody'] },
      { ledger, kept: [{ step: 8, ...vectors }] },
      { step: 20, ...vectors },
    );
    expect(bansToUndo(script.state)).toEqual([who]);
    const effects = ban(script, who);
    expect(effects.filter((line) => /^(report (banned|rolled)|restore)/.test(line))).toEqual([
      `report banned ${who}, machine ${machine}`,
      `report rolled back to 8 for ${who} since 12`,
      'restore-snapshot 8, forget none',
    ]);
    expect(script.state.training.step).toBe(8);
  });

  it('may not be there yet', () => {
    const script = new Script();
    expect(ban(script, 'eve')).toEqual([
      'notice nobody of the name or key eve is in the run, and a machine that joins under it is refused',
    ]);
    expect(arrives(script, 'one', 'eve')).toBe(BANNED);
  });
});

describe('a member that the operator removes', () => {
  it('leaves at once and may join again', () => {
    const script = twoAtWork();
    const effects = script.tellAll({ kind: 'remove', who: 'eve', isBanned: false });
    expect(effects).toContain('one <- refuse: the operator of this run has removed it');
    expect(effects.some((line) => line.includes('banned'))).toBe(false);
    expect(effects).toContain('two <- work 0 [0,4)');
    expect(arrives(script, 'three', 'eve', PROOF)).toBeUndefined();
  });
});
