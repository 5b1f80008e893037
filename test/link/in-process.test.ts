import { expect, it } from 'vitest';
import { linkInProcess } from '../../shared/link/in-process.js';
import { BUFFERED_BYTES_MAX } from '../../shared/link/link.js';
import { linkSuite } from '../suites/link-suite.js';
import { record } from './recorder.js';

linkSuite('in process', async () => ({
  ends: linkInProcess(['a', 'b']),
  bufferedBytesMax: BUFFERED_BYTES_MAX,
  dispose: async () => {},
}));

it('hands objects over as they are', async () => {
  const [a, b] = linkInProcess(['a', 'b']);
  const atB = record(b);
  const message = { kind: 'partials', slots: [64, 128] };
  const payload = new Uint8Array(8);
  a.send(message, payload);
  await atB.arrived(1);
  expect(atB.received[0]?.message).toBe(message);
  expect(atB.received[0]?.payload).toBe(payload);
});

it('names each end by the other', () => {
  const [a, b] = linkInProcess(['coordinator', 'node']);
  expect([a.peer, b.peer]).toEqual(['node', 'coordinator']);
});
