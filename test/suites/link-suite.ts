import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type Link, NOT_READING } from '../../shared/link/link.js';
import { patterned, record } from '../link/recorder.js';

/** The two ends of a link, not opened yet. */
export interface LinkPair {
  readonly ends: readonly [Link, Link];
  /** The number of waiting bytes beyond which the link is closed. */
  readonly bufferedBytesMax: number;
  /** The first end cannot take back what the peer has not read: a browser sends it before it closes. */
  readonly sendsUnread?: boolean;
  /** The second end takes what arrives before it is opened: a browser cannot stop to read. */
  readonly readsUnopened?: boolean;
  /** Frees what the pair needs, such as a server. */
  dispose(): Promise<void>;
}

const equalBytes = (a: Uint8Array | undefined, b: Uint8Array): boolean =>
  a !== undefined && Buffer.compare(a, b) === 0;

/** Tests of what every link guarantees (shared/link/link.ts). */
export function linkSuite(name: string, makePair: () => Promise<LinkPair>): void {
  describe(`link: ${name}`, () => {
    let pair: LinkPair;
    let a: Link;
    let b: Link;
    beforeEach(async () => {
      pair = await makePair();
      [a, b] = pair.ends;
    });
    afterEach(() => pair.dispose());

    it('carries messages in order, both ways at once', async () => {
      const [atA, atB] = [record(a), record(b)];
      const messages = Array.from({ length: 1000 }, (_, i) => ({
        kind: 'count',
        i,
        text: 'ü'.repeat(i % 50),
      }));
      for (const message of messages) {
        a.send(message, patterned(message.i % 13));
        b.send(message);
      }
      await Promise.all([atA.arrived(1000), atB.arrived(1000)]);
      expect(atA.received.map(({ message }) => message)).toEqual(messages);
      expect(atB.received.map(({ message }) => message)).toEqual(messages);
      expect(atB.received.map(({ payload }) => payload.length)).toEqual(messages.map(({ i }) => i % 13));
    });

    it.each([0, 1, 7, 8, 9, 125, 126, 4095, 65_535, 65_536, 100_001, 20_000_000])(
      'carries a payload of %i bytes bit for bit, at a multiple of 8',
      async (length) => {
        const atB = record(b);
        // The message before it shifts the position of its bytes in the stream.
        a.send({ kind: 'before' });
        a.send({ kind: 'x' }, patterned(length));
        await atB.arrived(2);
        const payload = atB.received[1]?.payload;
        expect(equalBytes(payload, patterned(length))).toBe(true);
        expect(payload && payload.byteOffset % 8).toBe(0);
      },
    );

    it('delivers an empty payload for a message without one', async () => {
      const atB = record(b);
      a.send({ kind: 'x' });
      await atB.arrived(1);
      expect(atB.received[0]?.payload).toHaveLength(0);
    });

    it('sends views that begin and end anywhere in a larger buffer', async () => {
      const atB = record(b);
      const whole = patterned(100_000);
      const views = [whole.subarray(1, 10), whole.subarray(3, 70_004), Buffer.from(whole.buffer, 5, 99)];
      for (const view of views) a.send({ kind: 'x' }, view);
      await atB.arrived(3);
      expect(atB.received.every(({ payload }, i) => equalBytes(payload, views[i] as Uint8Array))).toBe(true);
      expect(atB.received.every(({ payload }) => payload.byteOffset % 8 === 0)).toBe(true);
    });

    it.each([9, 3_000_000])('sends shared memory as it was at the call (%i bytes)', async (length) => {
      const shared = new Uint8Array(new SharedArrayBuffer(length + 8), 8);
      shared.set(patterned(length));
      a.send({ kind: 'x' }, shared);
      a.send({ kind: 'x' }, Buffer.from(shared.buffer, 8));
      shared.fill(0);
      const atB = record(b);
      await atB.arrived(2);
      expect(atB.received.every(({ payload }) => equalBytes(payload, patterned(length)))).toBe(true);
      expect(atB.received[0]?.payload.buffer).toBeInstanceOf(ArrayBuffer);
    });

    it('does not change a payload, which can be sent again', async () => {
      const atB = record(b);
      const payload = patterned(200_000);
      a.send({ kind: 'x' }, payload);
      a.send({ kind: 'x' }, payload);
      await atB.arrived(2);
      expect(equalBytes(payload, patterned(200_000))).toBe(true);
      expect(atB.received.every((envelope) => equalBytes(envelope.payload, payload))).toBe(true);
    });

    it('keeps messages that arrive before it is opened', async () => {
      a.send({ kind: 'early' }, patterned(10));
      const atA = record(a);
      b.send({ kind: 'ask' });
      await atA.arrived(1);
      const atB = record(b);
      await atB.arrived(1);
      expect(atB.received[0]?.message).toEqual({ kind: 'early' });
    });

    it('reports nothing from within a call', async () => {
      let calling = true;
      const atB = record(b, () => expect(calling).toBe(false));
      const atA = record(a);
      a.send({ kind: 'x' });
      expect(atB.received).toHaveLength(0);
      calling = false;
      await atB.arrived(1);
      a.close('bye');
      b.close('bye');
      expect([...atA.reasons, ...atB.reasons]).toEqual([]);
      await Promise.all([atA.closed$, atB.closed$]);
    });

    describe.each([
      ['the one end', 0],
      ['the other end', 1],
    ])('closed by %s', (_, which) => {
      it('reports the reason to both ends once, after all messages', async () => {
        const closer = pair.ends[which] as Link;
        const other = pair.ends[1 - which] as Link;
        const [atCloser, atOther] = [record(closer), record(other)];
        closer.send({ kind: 'last' }, patterned(1_000_000));
        closer.close('enough for today');
        closer.close('twice');
        await Promise.all([atCloser.closed$, atOther.closed$]);
        expect(atOther.received.map(({ payload }) => payload.length)).toEqual([1_000_000]);
        other.close('too late');
        await settled();
        expect(atCloser.reasons).toEqual(['enough for today']);
        expect(atOther.reasons).toEqual(['enough for today']);
      });

      it('sends nothing any more', async () => {
        const closer = pair.ends[which] as Link;
        const other = pair.ends[1 - which] as Link;
        const [atCloser, atOther] = [record(closer), record(other)];
        other.send({ kind: 'on its way' });
        closer.close('bye');
        closer.send({ kind: 'after' }, patterned(100));
        await Promise.all([atCloser.closed$, atOther.closed$]);
        closer.send({ kind: 'long after' }, patterned(100));
        other.send({ kind: 'long after' }, patterned(100));
        await settled();
        expect([...atCloser.received, ...atOther.received]).toEqual([]);
      });
    });

    it('reports to both ends once when both close', async () => {
      const [atA, atB] = [record(a), record(b)];
      a.close('a is done');
      b.close('b is done');
      await Promise.all([atA.closed$, atB.closed$]);
      await settled();
      // An end reports the reason of the other if it had received it before it closed.
      for (const { reasons } of [atA, atB])
        expect(reasons).toEqual([expect.stringMatching(/^[ab] is done$/)]);
    });

    it('can be closed from within a message', async () => {
      const atA = record(a);
      const atB = record(b, () => b.close('heard enough'));
      for (let i = 0; i < 5; i++) a.send({ kind: 'x', i });
      await Promise.all([atA.closed$, atB.closed$]);
      expect(atB.received).toHaveLength(1);
      expect(atA.reasons).toEqual(['heard enough']);
    });

    it('reports its end when it is opened afterwards', async () => {
      const atA = record(a);
      b.close('not for me');
      await atA.closed$;
      const atB = record(b);
      await atB.closed$;
      expect(atB.reasons).toEqual(['not for me']);
    });

    it('counts bytes that the peer has not read', async () => {
      const payload = patterned(16 * 2 ** 20);
      for (let i = 0; i < 3; i++) a.send({ kind: 'x', i }, payload);
      expect(a.bufferedBytes).toBeGreaterThan(16 * 2 ** 20);
      const atB = record(b);
      const atA = record(a);
      await atB.arrived(3);
      b.send({ kind: 'read it all' });
      await atA.arrived(1);
      expect(a.bufferedBytes).toBe(0);
    });

    it.each([0, 16 * 2 ** 20])('reports a message of %i bytes as sent once the peer reads', async (bytes) => {
      const shared = new Uint8Array(new SharedArrayBuffer(bytes));
      const sent: string[] = [];
      const all = new Promise<void>((resolve) => {
        a.send({ kind: 'x' }, shared, () => sent.push('shared'));
        a.send({ kind: 'x' }, patterned(bytes), () => {
          sent.push('own');
          resolve();
        });
      });
      expect(sent).toEqual([]);
      await settled();
      if (bytes > 0 && !pair.readsUnopened) expect(sent).toEqual([]);
      record(b);
      await all;
      expect(sent).toEqual(['shared', 'own']);
    });

    it('does not report as sent what was not sent before it was closed', async () => {
      const atA = record(a);
      const sent: string[] = [];
      // More than fits into the system's buffers.
      for (let i = 0; i < 3; i++) a.send({ kind: 'x' }, patterned(16 * 2 ** 20), () => sent.push(`${i}`));
      a.close('enough');
      a.send({ kind: 'x' }, patterned(1), () => sent.push('after'));
      record(b);
      await atA.closed$;
      expect(sent).toEqual([]);
    });

    it('is closed when the peer does not read', async () => {
      const atA = record(a);
      const payload = patterned(32 * 2 ** 20);
      const frames = Math.ceil(pair.bufferedBytesMax / payload.length) + 1;
      // Some bytes fit into the system's buffers and count as sent.
      for (let i = 0; i <= frames; i++) a.send({ kind: 'x', i }, payload);
      await atA.closed$;
      expect(atA.reasons).toEqual([NOT_READING]);
      const atB = record(b);
      await atB.closed$;
      expect(atB.received.length).toBeLessThan(pair.sendsUnread ? frames + 1 : frames);
    });
  });
}

/** Waits several turns of the event loop, and no time, so that what is on its way can arrive. */
async function settled(): Promise<void> {
  for (let turn = 0; turn < 20; turn++) await new Promise((resolve) => setImmediate(resolve));
}
