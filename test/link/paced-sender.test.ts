import { expect, it } from 'vitest';
import { NO_PAYLOAD } from '../../shared/link/link.js';
import { PacedSender } from '../../shared/link/paced-sender.js';

const MEGABYTE = 2 ** 20;

/** A link that holds what is sent until the test lets its peer read. */
class HeldLink {
  readonly sent: number[] = [];
  private readonly held: { bytes: number; onSent: (() => void) | undefined }[] = [];

  get bufferedBytes(): number {
    return this.held.reduce((sum, { bytes }) => sum + bytes, 0);
  }

  send(message: object, payload: Uint8Array = NO_PAYLOAD, onSent?: () => void): void {
    this.sent.push((message as { i: number }).i);
    this.held.push({ bytes: payload.byteLength, onSent });
  }

  /** The peer reads the oldest message. */
  read(): void {
    this.held.shift()?.onSent?.();
  }
}

function setUp(messages: number) {
  const link = new HeldLink();
  const sender = new PacedSender(link as never);
  const payload = new Uint8Array(MEGABYTE);
  for (let i = 0; i < messages; i++) sender.send({ i }, payload);
  return { link, sender };
}

it('sends messages in order, never leaves the link without work, and never more waiting than the bound', () => {
  const { link, sender } = setUp(20);
  expect(link.sent.length).toBeLessThan(6);
  for (let reads = 1; reads < 20; reads++) {
    expect(link.bufferedBytes).toBeLessThanOrEqual(4 * MEGABYTE);
    link.read();
    expect(link.bufferedBytes).toBeGreaterThan(0);
  }
  expect(link.sent).toEqual(Array.from({ length: 20 }, (_, i) => i));
  expect(sender.isIdle).toBe(true);
});

it('tells when everything was handed over, or was dropped', async () => {
  const { link, sender } = setUp(8);
  let isIdle = false;
  const idle = sender.idle().then(() => {
    isIdle = true;
  });
  await Promise.resolve();
  expect(isIdle).toBe(false);
  sender.drop();
  await idle;
  const { length } = link.sent;
  for (let i = 0; i < length; i++) link.read();
  expect(link.sent).toHaveLength(length);
  sender.send({ i: 100 });
  expect(link.sent.at(-1)).toBe(100);
});
