import { createPrivateKey } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { expel } from '../../../coordinator/membership/membership.js';
import { onAdmitted, standingOf } from '../../../coordinator/membership/standings.js';
import type { Member } from '../../../coordinator/state/member.js';
import { trustIn } from '../../../coordinator/state/member.js';
import { createMachineKey, proveMachine } from '../../../shared/link/machine-key.js';
import { Script } from '../script.js';
import { hello, NONCE, RUN_ID } from '../settings.js';

const HANDSHAKE = { run: RUN_ID, coordinatorNonce: NONCE, workerNonce: NONCE };
const [KEY, OTHER_KEY] = [createMachineKey(), createMachineKey()];

/** A machine connects from an address and says hello. @returns why it is refused; undefined when it is not */
function arrives(
  script: Script,
  id: string,
  { name, address, key }: { name: string; address: string; key?: string },
): string | undefined {
  script.tell({ kind: 'connected', id, nonce: NONCE, sharesMemory: false, address });
  const machine = key && { machine: proveMachine(createPrivateKey(key), HANDSHAKE) };
  const lines = script.says(id, hello(name, machine || {}));
  return lines.find((line) => line.startsWith(`${id} <- refuse: `))?.slice(`${id} <- refuse: `.length);
}

function member(script: Script, id: string): Member {
  return script.state.membership.members.get(id) as Member;
}

/** One more machine is let in, and leaves. */
function admitOther({ state }: Script, number: number): void {
  const { standings } = state.membership;
  const [name, address] = [`other ${number}`, '10.0.0.2'];
  onAdmitted(standings, { standing: standingOf(standings, { address }, { name }), address, name });
}

/** A run that has expelled the machine of a key, at 0 ms. */
function afterExpulsion(): Script {
  const script = new Script();
  arrives(script, 'one', { name: 'eve', address: '10.0.0.1', key: KEY });
  expel(script.state.membership, member(script, 'one'), 'wrong', 'its sums are wrong', 0);
  return script;
}

describe('an expelled machine', () => {
  it.each([
    [
      'under another name and from another address, with its key',
      { name: 'bob', address: '10.0.0.2', key: KEY },
    ],
    [
      'with another key, under its name and from its address',
      { name: 'eve', address: '10.0.0.1', key: OTHER_KEY },
    ],
    ['without a key, under its name and from its address', { name: 'eve', address: '10.0.0.1' }],
  ])('is recognised %s', (_what, again) => {
    const script = afterExpulsion();
    expect(arrives(script, 'two', again)).toBe(
      'it was expelled once: it may return 10 s after that; again after 10000 ms',
    );
    script.nowMs = 10_000;
    expect(arrives(script, 'three', again)).toBeUndefined();
    expect(trustIn(member(script, 'three'))).toBe('convicted');
  });

  it('waits twice as long each time, up to ten minutes', () => {
    const script = afterExpulsion();
    const waits: string[] = [];
    for (let times = 2; times < 10; times++) {
      script.nowMs += 600_000;
      const id = `again ${times}`;
      expect(arrives(script, id, { name: 'eve', address: '10.0.0.1', key: KEY })).toBeUndefined();
      expel(script.state.membership, member(script, id), 'silent', 'it does not answer', script.nowMs);
      const why = arrives(script, `${id} at once`, { name: 'eve', address: '10.0.0.1', key: KEY });
      waits.push(why?.replace('it was expelled ', '') ?? '');
    }
    expect(waits[0]).toBe('2 times: it may return 20 s after that; again after 20000 ms');
    expect(waits.at(-1)).toBe('9 times: it may return 600 s after that; again after 600000 ms');
  });

  it('keeps out unknown machines of its network: those of an IPv6 network have all of its addresses', () => {
    const script = new Script();
    arrives(script, 'one', { name: 'eve', address: '2001:db8::1', key: KEY });
    expel(script.state.membership, member(script, 'one'), 'wrong', 'its sums are wrong', 0);
    const bob = { name: 'bob', key: OTHER_KEY };
    const why =
      'a machine at its address was expelled: an unknown one may join 10 s after that; again after 10000 ms';
    expect(arrives(script, 'two', { ...bob, address: '2001:db8::2' })).toBe(why);
    expect(arrives(script, 'three', { ...bob, address: '2001:db8:0:1::2' })).toBeUndefined();
    script.nowMs = 10_000;
    const eve = { name: 'eve', address: '2001:db8::3', key: createMachineKey() };
    expect(arrives(script, 'four', eve)).toBeUndefined();
    expect(trustIn(member(script, 'four'))).toBe('convicted');
  });

  it('is known by its key after so many others have come that it was forgotten', () => {
    const script = new Script();
    arrives(script, 'one', { name: 'eve', address: '10.0.0.1', key: KEY });
    for (let i = 0; i < 5000; i++) admitOther(script, i);
    expel(script.state.membership, member(script, 'one'), 'wrong', 'its sums are wrong', 0);
    expect(arrives(script, 'two', { name: 'bob', address: '10.0.0.3', key: KEY })).toContain('expelled once');
  });

  it('keeps out unknown machines of its network after the coordinator was started again', () => {
    const expulsions = {
      '10.0.0.1/eve': { wrong: 1, silent: 1 },
      'aa:0:0:0::/64/bob/2': { wrong: 1, silent: 0 },
      [proveMachine(createPrivateKey(KEY), HANDSHAKE).key]: { wrong: 1, silent: 1 },
    };
    const ledger = { unverified: {}, bases: [], rollbacks: 0, expulsions, banned: [] };
    const script = new Script({}, { ledger, kept: [] });
    const why = (seconds: number): string =>
      `a machine at its address was expelled: an unknown one may join ${seconds} s after that; again after ${seconds}000 ms`;
    expect(arrives(script, 'a', { name: 'new', address: '10.0.0.1', key: OTHER_KEY })).toBe(why(20));
    expect(arrives(script, 'b', { name: 'new', address: 'aa::7', key: OTHER_KEY })).toBe(why(10));
    expect(arrives(script, 'c', { name: 'new', address: '10.0.0.2', key: OTHER_KEY })).toBeUndefined();
  });

  it('is still known after the coordinator was started again', () => {
    const ledger = {
      unverified: {},
      bases: [],
      rollbacks: 0,
      expulsions: { 'a/a': { wrong: 2, silent: 0 } },
      banned: [],
    };
    const script = new Script({}, { ledger, kept: [] });
    expect(arrives(script, 'a', { name: 'a', address: 'a' })).toBe(
      'it was expelled 2 times: it may return 20 s after that; again after 20000 ms',
    );
  });
});

describe('a run that is closed to newcomers', () => {
  it('still knows its members after any number of others were refused', () => {
    const script = new Script();
    const honest = { name: 'dave', address: '10.0.0.1', key: KEY };
    arrives(script, 'one', honest);
    script.state.membership.isClosed = true;
    const { standings } = script.state.membership;
    const known = [...standings.machines.keys()];
    for (let i = 0; i < 10; i++)
      expect(arrives(script, `other ${i}`, { name: `other ${i}`, address: '10.0.0.2' })).toContain('closed');
    expect([...standings.machines.keys()]).toEqual(known);
    script.leaves('one');
    expect(arrives(script, 'two', honest)).toBeUndefined();
  });

  it('forgets machines of which nothing was confirmed first', () => {
    const script = new Script();
    const honest = { name: 'dave', address: '10.0.0.1', key: KEY };
    arrives(script, 'one', honest);
    member(script, 'one').standing.confirmed = 8;
    script.leaves('one');
    for (let i = 0; i < 5000; i++) admitOther(script, i);
    arrives(script, 'two', honest);
    expect(trustIn(member(script, 'two'))).toBe('proven');
  });
});

describe('a machine that takes the name of another at its address', () => {
  it.each([
    ['with another key', OTHER_KEY],
    ['without a key', undefined],
  ])(
    '%s has nothing of what others have confirmed of it, and none of its offences fall on it',
    (_what, key) => {
      const script = new Script();
      const honest = { name: 'dave', address: '10.0.0.1', key: KEY };
      arrives(script, 'one', honest);
      member(script, 'one').standing.confirmed = 100;
      arrives(script, 'two', { ...honest, ...(key === undefined ? { key: '' } : { key }) });
      expect(trustIn(member(script, 'two'))).toBe('unproven');
      expel(script.state.membership, member(script, 'two'), 'wrong', 'its sums are wrong', 0);
      script.leaves('one');
      expect(arrives(script, 'three', honest)).toBeUndefined();
      expect(trustIn(member(script, 'three'))).toBe('proven');
      // With one more key, the other is recognised by the name.
      const third = createMachineKey();
      expect(arrives(script, 'four', { ...honest, key: third })).toContain('it was expelled once');
    },
  );
});

describe('a machine that joins and leaves in a loop', () => {
  const visitor = { name: 'eve', address: '10.0.0.1', key: KEY };

  it('waits from the fifth time on, twice as long each time, as long as it answers nothing', () => {
    const script = new Script();
    const waits: number[] = [];
    for (let times = 1; times <= 12; times++) {
      const id = `visit ${times}`;
      const begunMs = script.nowMs;
      while (arrives(script, id, visitor) !== undefined) script.nowMs += 500;
      waits.push(script.nowMs - begunMs);
      script.leaves(id);
    }
    expect(waits).toEqual([0, 0, 0, 0, 0, 1000, 2000, 4000, 8000, 16_000, 32_000, 60_000]);
  });

  it('is told how long it waits, from the moment at which it asks', () => {
    const script = new Script();
    for (let times = 1; times <= 5; times++) {
      arrives(script, `visit ${times}`, visitor);
      script.leaves(`visit ${times}`);
    }
    script.nowMs += 299.5;
    expect(arrives(script, 'too early', visitor)).toBe(
      'its machine joins and leaves again and again: it may join again after 60 s at most; again after 701 ms',
    );
    script.nowMs += 701;
    expect(arrives(script, 'in time', visitor)).toBeUndefined();
  });

  it('does not wait when it has answered, or has stayed for a while', () => {
    const script = new Script({ samples: 32_000, steps: 1000 });
    for (let times = 1; times <= 20; times++) {
      const id = `stay ${times}`;
      expect(arrives(script, id, visitor)).toBeUndefined();
      if (times % 4 === 0) script.nowMs += 10_001;
      else if (times % 2 === 0) {
        script.says(id, { kind: 'ready' });
        script.answers(id, script.state.training.step, { from: 0, to: 8 });
        script.tell({ kind: 'finished', metrics: [1] });
      }
      script.leaves(id);
    }
  });
});

describe('a machine at the address of an expelled one', () => {
  it('waits as long when it is unknown', () => {
    const script = afterExpulsion();
    const newcomer = { name: 'dave', address: '10.0.0.1', key: OTHER_KEY };
    expect(arrives(script, 'two', newcomer)).toBe(
      'a machine at its address was expelled: an unknown one may join 10 s after that; again after 10000 ms',
    );
    script.nowMs = 10_000;
    expect(arrives(script, 'three', newcomer)).toBeUndefined();
    expect(trustIn(member(script, 'three'))).toBe('unproven');
  });

  it('returns at once when others have confirmed answers of it', () => {
    const script = new Script();
    const known = { name: 'dave', address: '10.0.0.1', key: OTHER_KEY };
    arrives(script, 'first', known);
    member(script, 'first').standing.confirmed = 1;
    script.leaves('first');
    arrives(script, 'one', { name: 'eve', address: '10.0.0.1', key: KEY });
    expel(script.state.membership, member(script, 'one'), 'wrong', 'its sums are wrong', 0);
    expect(arrives(script, 'second', known)).toBeUndefined();
  });
});

describe('a machine that the operator has banned', () => {
  it.each([
    ['by its name', 'eve'],
    ['by its key', proveMachine(createPrivateKey(KEY), HANDSHAKE).key],
  ])('%s is refused', (_what, banned) => {
    const script = new Script({ banned: ['somebody', banned] });
    expect(arrives(script, 'one', { name: 'eve', address: '10.0.0.1', key: KEY })).toBe(
      'the operator of this run has banned this machine',
    );
    expect(arrives(script, 'two', { name: 'dave', address: '10.0.0.2', key: OTHER_KEY })).toBeUndefined();
  });
});

describe('a proof of a machine key', () => {
  it('of another handshake is refused', () => {
    const script = new Script();
    script.connects('a');
    const machine = proveMachine(createPrivateKey(KEY), { ...HANDSHAKE, coordinatorNonce: 'm'.repeat(22) });
    expect(script.says('a', hello('a', { machine }))).toContain(
      'a <- refuse: it has not proven that it has the key of its machine',
    );
  });

  it('of a key that is none is refused', () => {
    const script = new Script();
    script.connects('a');
    const machine = { key: '_'.repeat(43), signature: 'A'.repeat(86) };
    expect(script.says('a', hello('a', { machine }))).toContain(
      'a <- refuse: it has not proven that it has the key of its machine',
    );
  });
});
