import { expect, it } from 'vitest';
import { linkInProcess } from '../../shared/link/in-process.js';
import { type Link, NOT_READING } from '../../shared/link/link.js';
import { UnreadBytes } from '../../shared/link/unread-bytes.js';
import { record } from './recorder.js';

const MEGABYTE = 2 ** 20;

it('bounds what waits for all peers together: those with the most unread bytes are disconnected', async () => {
  const payload = new Uint8Array(16 * MEGABYTE);
  const links = new Map<string, Link>();
  const unread = new UnreadBytes(links);
  const reasons = new Map<string, readonly string[]>();
  // No peer reads. The first ten are sent 112 MiB each, less than a link's own bound; the others little.
  for (let i = 0; i < 20; i++) {
    const [own] = linkInProcess(['coordinator', `peer ${i}`]);
    links.set(`${i}`, own);
    reasons.set(`${i}`, record(own).reasons);
    for (let frames = 0; frames < (i < 10 ? 7 : 1); frames++) {
      own.send({ kind: 'x' }, payload);
      unread.sent(payload.length);
    }
  }
  for (let i = 0; i < 4; i++) unread.sent(payload.length);
  await Promise.resolve();
  await Promise.resolve();
  const closed = [...reasons].filter(([, texts]) => texts.length > 0);
  expect(closed.length).toBeGreaterThan(0);
  for (const [id, texts] of closed) {
    expect(Number(id)).toBeLessThan(10);
    expect(texts).toEqual([NOT_READING]);
  }
  const total = [...links.values()].reduce((sum, link) => sum + link.bufferedBytes, 0);
  expect(total).toBeLessThanOrEqual(1024 * MEGABYTE);
  expect(total).toBeGreaterThan(850 * MEGABYTE);
});
