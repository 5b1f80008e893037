import { expect, it } from 'vitest';
import type { MemberMessage } from '../../coordinator/state/messages.js';
import { relaySettings } from '../../relay/relay-settings.js';
import { initialRelayState } from '../../relay/relay-state.js';
import { relay } from '../../relay/transition.js';
import { cutVector } from '../../shared/reduction/segments.js';
import { hello, NONCE, RUN_ID, runMessage, runSettings, TOKEN } from '../coordinator/settings.js';

it('tells of its own machines when nobody is at work below it, and not of the run', () => {
  const own = { runId: RUN_ID, token: TOKEN, audit: runSettings().audit };
  const settings = relaySettings(runMessage(), own, { sums: cutVector(400), weightBytes: 400 });
  const state = initialRelayState(settings, 0);
  const notices = (message: MemberMessage): string[] =>
    relay(state, message, 0).effects.flatMap((effect) => (effect.kind === 'notice' ? [effect.text] : []));
  const says = (message: Extract<MemberMessage, { kind: 'received' }>['message']): string[] =>
    notices({ kind: 'received', id: 'a', message, buffers: [] });
  notices({ kind: 'connected', id: 'a', nonce: NONCE, sharesMemory: false, address: 'a' });
  says(hello('a'));
  expect(says({ kind: 'ready' })).toEqual(['a joined (wasm); 1 at work']);
  expect(notices({ kind: 'disconnected', id: 'a', reason: 'gone' })).toEqual([
    'a left (gone); nobody is at work below this relay: it leaves the run until someone joins it',
  ]);
});
