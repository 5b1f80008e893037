import { expect, it } from 'vitest';
import { VectorSender } from '../../../coordinator/compute/outgoing-vectors.js';
import { NO_PAYLOAD } from '../../../shared/link/link.js';
import type { Work } from '../../../shared/protocol/messages.js';
import { cutVector } from '../../../shared/reduction/segments.js';

const SEGMENTS = 40;

/** A link whose peer reads when the test says so, and the first byte of each segment that it was passed. */
class SlowLink {
  readonly firsts: number[] = [];
  private unread: { bytes: number; onSent: (() => void) | undefined }[] = [];

  get bufferedBytes(): number {
    return this.unread.reduce((sum, { bytes }) => sum + bytes, 0);
  }

  send(message: object, payload: Uint8Array = NO_PAYLOAD, onSent?: () => void): void {
    if ((message as { kind: string }).kind === 'segment') this.firsts.push(payload[0] as number);
    this.unread.push({ bytes: payload.byteLength, onSent });
  }

  readAll(): void {
    while (this.unread.length > 0) for (const { onSent } of this.unread.splice(0)) onSent?.();
  }
}

/** Sends ten megabytes of ones, some of which wait. */
function sendOnes(isKept: boolean) {
  const link = new SlowLink();
  const sender = new VectorSender(link as never);
  const vector = new Uint8Array(SEGMENTS * 2 ** 18).fill(1);
  const cut = cutVector(vector.byteLength);
  const work: Work = { kind: 'work', step: 0, range: { from: 0, to: 1 }, weights: true };
  const order = cut.segments.map((_, index) => index);
  sender.send(work, { cut, order, views: [vector] }, isKept);
  expect(link.firsts.length).toBeLessThan(order.length);
  return { link, sender, vector, sent: link.firsts.length, segments: order.length };
}

it('sends kept vectors as they were, without a copy of what has been sent before they change', () => {
  const { link, sender, vector, segments } = sendOnes(true);
  sender.keepUnsent();
  vector.fill(2);
  link.readAll();
  expect(link.firsts).toEqual(Array.from({ length: segments }, () => 1));
});

it('sends others as they are when their turn comes', () => {
  const { link, sender, vector, sent, segments } = sendOnes(false);
  sender.keepUnsent();
  vector.fill(2);
  link.readAll();
  expect(link.firsts).toEqual(Array.from({ length: segments }, (_, i) => (i < sent ? 1 : 2)));
});
