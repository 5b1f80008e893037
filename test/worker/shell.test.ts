import { expect, it } from 'vitest';
import { VirtualClock } from '../../shared/actor/virtual-clock.js';
import { UserError } from '../../shared/errors.js';
import type { NodeMessage } from '../../worker/messages.js';
import { node } from '../../worker/node.js';
import { NodeShell } from '../../worker/shell.js';
import type { Workplace } from '../../worker/workplace.js';
import { Script } from './script.js';

it('says why it leaves when there is no room for the data', () => {
  const reason = 'out of memory: allow more';
  const workplace: Workplace = {
    prepare: async () => ({ missing: [0], weightBytes: 8 }),
    store: () => {
      throw new UserError(reason);
    },
    loadWeights: () => undefined,
    compute: async () => [],
    payload: () => undefined,
  };
  const shell = new NodeShell({
    workplace,
    clock: new VirtualClock(),
    connect: () => Promise.reject(new Error('no coordinator')),
    onNotice: () => undefined,
    onEnd: () => undefined,
  });
  const script = new Script().joins();
  script.isPrepared([0]);
  const told: NodeMessage[] = [];
  const self = { tell: (message: NodeMessage) => void told.push(message), stop: () => undefined };
  for (const effect of script.hears({ kind: 'chunk', index: 0 })) shell.perform(effect, self);
  expect(told).toEqual([{ kind: 'failed', reason }]);
  expect(node(script.state, told[0] as NodeMessage).effects).toEqual([
    { kind: 'send', message: { kind: 'leave', reason } },
    { kind: 'close' },
    { kind: 'end', ending: 'failed', reason },
  ]);
});
