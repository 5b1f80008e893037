import { describe, expect, it } from 'vitest';
import { WATCHERS_MAX } from '../../../coordinator/membership/admission.js';
import { PROTOCOL_VERSION } from '../../../shared/protocol/messages.js';
import { watchToken, workerProof } from '../../../shared/protocol/proof.js';
import type { Watch } from '../../../shared/protocol/watch-messages.js';
import { FIRST, Script, SECOND, twoAtWork } from '../script.js';
import { hello, NONCE, RUN_ID, TOKEN } from '../settings.js';

const HANDSHAKE = { run: RUN_ID, coordinatorNonce: NONCE, workerNonce: NONCE };
const proofBy = (token: string): string => workerProof(token, HANDSHAKE);

function watch(token = watchToken(TOKEN)): Watch {
  return { kind: 'watch', version: PROTOCOL_VERSION, nonce: NONCE, proof: proofBy(token) };
}

describe('a watcher', () => {
  it('is admitted, is given no work, and its leaving has no effect', () => {
    const script = twoAtWork();
    script.connects('w');
    expect(script.says('w', watch())).toEqual(['admit watcher w']);
    script.answers('a', 0, FIRST);
    script.answers('b', 0, SECOND);
    expect(script.tell({ kind: 'finished', metrics: [1] })).toEqual([
      'record 1: 32 samples, metrics 1, 2 members',
      'a <- work 1 [0,4) + weights',
      'b <- work 1 [4,8) + weights',
    ]);
    expect(script.leaves('w')).toEqual([]);
  });

  it('does not count towards the workers that the run waits for', () => {
    const script = new Script({ minWorkers: 1 });
    script.connects('w');
    expect(script.says('w', watch())).toEqual(['admit watcher w']);
    expect(script.joins('a')).toEqual(['notice a joined (wasm); 1 at work', 'a <- work 0 [0,8) + weights']);
  });

  it('has a token that does not permit work, and is refused with the token for work', () => {
    const script = new Script();
    script.connects('w');
    expect(script.says('w', hello('w', { proof: proofBy(watchToken(TOKEN)) }))[0]).toMatch(/wrong token/);
    script.connects('x');
    expect(script.says('x', watch(TOKEN))[0]).toMatch(/^x <- refuse: wrong token/);
    expect(script.state.membership.members.size).toBe(0);
  });

  it('may not send its request twice, nor any message of a worker', () => {
    const says = [watch(), hello('w'), { kind: 'ready' }, { kind: 'need', chunks: [0] }] as const;
    for (const message of says) {
      const script = twoAtWork();
      script.connects('w');
      script.says('w', watch());
      expect(script.says('w', message).slice(-1)[0], message.kind).toMatch(/^drop w/);
      expect([...script.state.membership.members.keys()]).toEqual(['a', 'b']);
    }
  });

  it('is bounded in number', () => {
    const script = twoAtWork();
    for (let i = 0; i <= WATCHERS_MAX; i++) {
      script.connects(`w${i}`);
      const last = script.says(`w${i}`, watch()).slice(-1)[0];
      expect(last).toMatch(
        i < WATCHERS_MAX ? /^admit watcher/ : /^drop .*: 64 watchers are connected already: try again later$/,
      );
    }
    script.leaves('w0');
    script.connects('again');
    expect(script.says('again', watch())).toEqual(['admit watcher again']);
  });

  it('is dropped without a notice when it is silent', () => {
    const script = new Script();
    script.connects('w');
    script.says('w', watch());
    for (let nowMs = 500; nowMs <= 3000; nowMs += 500) expect(script.tick(nowMs)).toEqual(['w <- ping']);
    expect(script.tick(3500)).toEqual(['drop w: silent for 3 s']);
  });
});
