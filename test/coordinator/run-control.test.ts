import { describe, expect, it } from 'vitest';
import { OPERATORS_MAX, WATCHERS_MAX } from '../../coordinator/membership/admission.js';
import { CONTROLS_PER_TICK_MAX } from '../../coordinator/state/member.js';
import type { RunSettings } from '../../coordinator/state/run-settings.js';
import { PROTOCOL_VERSION } from '../../shared/protocol/messages.js';
import { watchToken, workerProof } from '../../shared/protocol/proof.js';
import {
  CONTROL_ACTIONS,
  type Control,
  type ControlAction,
  namesMember,
  type Watch,
} from '../../shared/protocol/watch-messages.js';
import { FIRST, Script, SECOND } from './script.js';
import { hello, NONCE, OPERATE_TOKEN, RUN_ID, TOKEN } from './settings.js';

const HANDSHAKE = { run: RUN_ID, coordinatorNonce: NONCE, workerNonce: NONCE };
const OPEN = { isPaused: false, isClosed: false };

function watch(token: string): Watch {
  const proof = workerProof(token, HANDSHAKE);
  return { kind: 'watch', version: PROTOCOL_VERSION, nonce: NONCE, proof };
}

function control(action: ControlAction, member?: string): Control {
  return { kind: 'control', id: 7, action, ...(member !== undefined && { member }) };
}

/** A run of two remote members that an operator watches. */
class Operated extends Script {
  constructor(settings: Partial<RunSettings> = {}) {
    super({ minWorkers: 2, checkpoints: { everySteps: 100 }, ...settings });
    // The state before the first step.
    this.joins('a');
    this.joins('b');
    this.tell({ kind: 'saved', step: 0, outcome: { weightsSha256: 'w', stateSha256: 's' } as never });
    this.connects('o');
    expect(this.says('o', watch(OPERATE_TOKEN))).toEqual(['admit operator o']);
  }

  asks(action: ControlAction, member?: string): string[] {
    return this.says('o', control(action, member));
  }

  /** Both members answer the step under way. @returns what happens when its sum is in the weights */
  completes(step: number): string[] {
    this.answers('a', step, FIRST);
    this.answers('b', step, SECOND);
    return this.tell({ kind: 'finished', metrics: [1] });
  }
}

const told = (text: string, state: object): string[] => [
  `o <- done: ${text}`,
  `notice operator at o: ${text}`,
  `publish ${JSON.stringify({ kind: 'state', ...state })}`,
];

describe('an operator', () => {
  it('pauses a run after the step under way, and lets it go on', () => {
    const script = new Operated();
    const paused = { isPaused: true, isClosed: false };
    expect(script.asks('pause')).toEqual(
      told('the run is paused after the step under way; 0 steps are done', paused),
    );
    expect(script.completes(0)).toEqual(['record 1: 32 samples, metrics 1, 2 members']);
    // Nothing that arrives starts a step: a tick, or another member.
    expect(script.tick(500)).toEqual(['a <- ping', 'b <- ping', 'o <- ping']);
    expect(script.joins('c')).toEqual(['notice c joined (wasm); 3 at work']);
    expect(script.asks('pause')).toEqual(['o <- refused: the run is paused already']);
    script.leaves('c');
    expect(script.asks('resume')).toEqual([
      ...told('the run goes on; 1 steps are done', OPEN),
      'a <- work 1 [0,4) + weights',
      'b <- work 1 [4,8) + weights',
    ]);
    expect(script.asks('resume')).toEqual(['o <- refused: the run is not paused']);
  });

  it('ends an execution of many steps for a pause and for a save', () => {
    for (const action of ['pause', 'save'] as const) {
      const script = new Script({ checkpoints: { everySteps: 100 } });
      script.joins('l', { local: true });
      script.connects('o');
      script.says('o', watch(OPERATE_TOKEN));
      const effects = script.says('o', control(action));
      expect(effects, action).toContain('interrupt-execution');
      const after = script.tell({ kind: 'executed', metrics: [[1]], elapsedMs: 1 });
      expect(
        after.some((line) => line.startsWith('execution')),
        action,
      ).toBe(action === 'save');
    }
  });

  it('saves a run between two steps, while it is paused too, and once', () => {
    const script = new Operated();
    expect(script.asks('save')).toEqual(['o <- refused: the state after step 0 is saved already']);
    script.asks('pause');
    script.completes(0);
    expect(script.asks('save')).toEqual([
      ...told('a checkpoint is saved after the step under way; 1 steps are done', {
        isPaused: true,
        isClosed: false,
      }),
      'checkpoint 1',
    ]);
    expect(script.tick(500)).not.toContain('checkpoint 1');
  });

  it('is told where a run saves no checkpoints', () => {
    const script = new Script();
    script.connects('o');
    script.says('o', watch(OPERATE_TOKEN));
    expect(script.says('o', control('save'))).toEqual([
      'o <- refused: the run saves no checkpoints, as it was started with --checkpoint-every 0',
    ]);
  });

  it('stops a run, a paused one too: it is saved and over', () => {
    for (const isPaused of [false, true]) {
      const script = new Operated();
      if (isPaused) script.asks('pause');
      script.completes(0);
      const stopped = script.asks('stop');
      expect(stopped.slice(0, 2)).toEqual(
        told('the run is saved and stopped; 1 steps are done', OPEN).slice(0, 2),
      );
      expect(stopped.at(-1)).toBe('checkpoint 1');
      const saved = { weightsSha256: 'w', stateSha256: 's' } as never;
      expect(script.tell({ kind: 'saved', step: 1, outcome: saved }).at(-1)).toBe('complete interrupted');
      expect(script.asks('resume')).toEqual(['o <- refused: the run is over']);
    }
  });

  it('closes a run to newcomers: members may return, others are refused until it is open', () => {
    const script = new Operated();
    script.asks('close');
    script.leaves('b');
    script.connects('b');
    expect(script.says('b', hello('b'))).toEqual(['admit b', 'b <- run']);
    script.connects('c');
    const refused = 'an operator has closed this run to newcomers; ask for it to be opened';
    expect(script.says('c', hello('c'))).toContain(`c <- refuse: ${refused}`);
    expect(script.asks('close')).toEqual(['o <- refused: the run is closed already']);
    expect(script.asks('open')).toEqual(told('the run is open to newcomers', OPEN));
    script.connects('c');
    expect(script.says('c', hello('c'))).toContain('admit c');
  });

  it('removes a member, whose work goes to others; it may join again', () => {
    const script = new Operated();
    const removed = script.asks('remove', 'b');
    expect(removed.slice(0, 2)).toEqual(told('b is removed; its machine may join again', OPEN).slice(0, 2));
    expect(removed).toContain('b <- refuse: the operator of this run has removed it');
    expect(removed.at(-1)).toBe('a <- work 0 [4,8)');
    script.connects('b');
    expect(script.says('b', hello('b'))).toEqual(['admit b', 'b <- run']);
  });

  it('bans a machine, which may not return', () => {
    const script = new Operated();
    const banned = script.asks('ban', 'b');
    const why = 'the operator of this run has banned this machine';
    expect(banned[0]).toBe('o <- done: b is banned');
    expect(banned).toContain(`b <- refuse: ${why}`);
    expect(banned.at(-1)).toBe('a <- work 0 [4,8)');
    script.connects('b');
    expect(script.says('b', hello('b'))).toContain(`b <- refuse: ${why}`);
  });

  it('removes neither somebody who is not there nor a worker of the own process', () => {
    const script = new Operated();
    script.joins('l', { local: true });
    for (const who of ['x', 'o', 'l'])
      expect(script.asks('remove', who)).toEqual([
        `o <- refused: the run has no member of the name, id or key ${who}`,
      ]);
  });

  it('is dropped when it asks for too much at once, and has a place when watchers take all of theirs', () => {
    const script = new Operated();
    for (let i = 0; i < CONTROLS_PER_TICK_MAX; i++) script.asks('resume');
    expect(script.asks('resume').at(-1)).toBe('drop o: asks for too much at once');
    for (let i = 0; i < WATCHERS_MAX; i++) {
      script.connects(`w${i}`);
      script.says(`w${i}`, watch(watchToken(TOKEN)));
    }
    for (let i = 0; i <= OPERATORS_MAX; i++) {
      script.connects(`o${i}`);
      const last = script.says(`o${i}`, watch(OPERATE_TOKEN)).at(-1);
      expect(last).toMatch(i < OPERATORS_MAX ? /^admit operator/ : /^drop .*: 16 operators are connected/);
    }
  });
});

describe('what a link permits', () => {
  const peers = {
    watcher: (script: Script) => {
      script.connects('p');
      script.says('p', watch(watchToken(TOKEN)));
    },
    worker: (script: Script) => {
      script.joins('p');
    },
    'peer that has proven nothing': (script: Script) => {
      script.connects('p');
    },
  };

  for (const [who, arrives] of Object.entries(peers))
    it.each(CONTROL_ACTIONS)(`a ${who} cannot %s a run`, (action) => {
      const script = new Operated();
      arrives(script);
      const { training, membership } = script.state;
      const before = JSON.stringify([training.isPaused, training.isInterrupted, membership.isClosed]);
      const effects = script.says('p', control(action, namesMember(action) ? 'a' : undefined));
      expect(effects).toContain('drop p: its link does not permit operating the run');
      expect(JSON.stringify([training.isPaused, training.isInterrupted, membership.isClosed])).toBe(before);
      expect([...membership.members.keys()]).toEqual(['a', 'b', 'o']);
    });

  it('an operator cannot work, and the tokens for work and for watching do not operate', () => {
    const script = new Operated();
    expect(script.says('o', hello('o')).at(-1)).toMatch(/^drop o/);
    script.connects('x');
    expect(script.says('x', hello('x', { proof: workerProof(OPERATE_TOKEN, HANDSHAKE) }))[0]).toMatch(
      /wrong token/,
    );
    script.connects('y');
    expect(script.says('y', watch(TOKEN))[0]).toMatch(/wrong token/);
  });

  it('nobody can operate a run that has no token for it', () => {
    const script = new Script({ operateToken: undefined });
    script.connects('o');
    for (const token of [OPERATE_TOKEN, '', 'undefined'])
      expect(script.says('o', watch(token)).join()).not.toMatch(/admit/);
  });
});
