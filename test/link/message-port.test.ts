import { MessageChannel } from 'node:worker_threads';
import { expect, it } from 'vitest';
import { linkMessagePort } from '../../shared/link/message-port.js';
import { linkSuite } from '../suites/link-suite.js';
import { record } from './recorder.js';

/** Smaller than the real bound: what waits at a port is copied. */
const BUFFERED_BYTES_MAX = 100 * 2 ** 20;

linkSuite('message port', async () => {
  const { port1, port2 } = new MessageChannel();
  return {
    ends: [linkMessagePort(port1, 'b', BUFFERED_BYTES_MAX), linkMessagePort(port2, 'a', BUFFERED_BYTES_MAX)],
    bufferedBytesMax: BUFFERED_BYTES_MAX,
    dispose: async () => {
      port1.close();
      port2.close();
    },
  };
});

it('tells when the other thread is gone', async () => {
  const { port1, port2 } = new MessageChannel();
  const atA = record(linkMessagePort(port1, 'b'));
  port2.close();
  await atA.closed$;
  expect(atA.reasons).toEqual(['the other thread has ended']);
});
