import { expect, it } from 'vitest';
import { VirtualClock } from '../../shared/actor/virtual-clock.js';
import { UserError } from '../../shared/errors.js';
import type { NodeMessage } from '../../worker/messages.js';
import { node } from '../../worker/node.js';
import { NodeShell } from '../../worker/shell.js';
import type { Workplace } from '../../worker/workplace.js';
import { Script } from './script.js';

it('says why it leaves when weights come that are of another size', () => {
  const workplace: Workplace = {
    prepare: async () => [],
    store: () => true,
    loadWeights: (bytes) => {
      throw new UserError(`weights of ${bytes.byteLength} bytes came in place of 12`);
    },
    compute: () => Promise.reject(new Error('the range was begun with no weights')),
    payload: () => undefined,
  };
  const shell = new NodeShell({
    workplace,
    clock: new VirtualClock(),
    connect: () => Promise.reject(new Error('no coordinator')),
    onNotice: () => undefined,
    onEnd: () => undefined,
  });
  const script = new Script().isReady();
  const told: NodeMessage[] = [];
  const self = { tell: (message: NodeMessage) => void told.push(message), stop: () => undefined };
  for (const effect of script.works(0, { from: 0, to: 8 })) shell.perform(effect, self);
  const reason = 'weights of 8 bytes came in place of 12';
  expect(told).toEqual([{ kind: 'failed', reason }]);
  expect(node(script.state, told[0] as NodeMessage).effects).toEqual([
    { kind: 'send', message: { kind: 'leave', reason } },
    { kind: 'close' },
    { kind: 'end', ending: 'failed', reason },
  ]);
});
