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

it('passes objects without a copy', async () => {
  const [a, b] = linkInProcess(['a', 'b']);
  const atB = record(b);
  const message = { kind: 'partial-sums', buffers: [64, 128] };
  const payload = new Uint8Array(8);
  a.send(message, payload);
  await atB.arrived(1);
  expect(atB.received[0]?.message).toBe(message);
  expect(atB.received[0]?.payload).toBe(payload);
});

it('gives each end the name of the other', () => {
  const [a, b] = linkInProcess(['coordinator', 'worker']);
  expect([a.peer, b.peer]).toEqual(['worker', 'coordinator']);
});
