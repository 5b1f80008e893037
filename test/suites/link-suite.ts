import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type Link, NOT_READING } from '../../shared/link/link.js';
import { patterned, record } from '../link/recorder.js';

/** Two ends of one link, neither opened yet. */
export interface LinkPair {
  readonly ends: readonly [Link, Link];
  /** The bound beyond which a peer that does not read is dropped. */
  readonly bufferedBytesMax: number;
  /** Frees what the pair needed, such as a server. */
  dispose(): Promise<void>;
}

const equalBytes = (a: Uint8Array | undefined, b: Uint8Array): boolean =>
  a !== undefined && Buffer.compare(a, b) === 0;

/** What every link promises (shared/link/link.ts), whatever carries it. */
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
        // What comes before shifts where the bytes lie in a stream.
        a.send({ kind: 'before' });
        a.send({ kind: 'x' }, patterned(length));
        await atB.arrived(2);
        const payload = atB.received[1]?.payload;
        expect(equalBytes(payload, patterned(length))).toBe(true);
        expect(payload && payload.byteOffset % 8).toBe(0);
      },
    );

    it('says that there is no payload by one of no bytes', async () => {
      const atB = record(b);
      a.send({ kind: 'x' });
      await atB.arrived(1);
      expect(atB.received[0]?.payload).toHaveLength(0);
    });

    it('carries views that begin and end anywhere in a larger buffer', async () => {
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

    it('leaves a payload to its sender, who may send it again', async () => {
      const atB = record(b);
      const payload = patterned(200_000);
      a.send({ kind: 'x' }, payload);
      a.send({ kind: 'x' }, payload);
      await atB.arrived(2);
      expect(equalBytes(payload, patterned(200_000))).toBe(true);
      expect(atB.received.every((envelope) => equalBytes(envelope.payload, payload))).toBe(true);
    });

    it('keeps what arrives until it is opened', async () => {
      a.send({ kind: 'early' }, patterned(10));
      const atA = record(a);
      b.send({ kind: 'ask' });
      await atA.arrived(1);
      const atB = record(b);
      await atB.arrived(1);
      expect(atB.received[0]?.message).toEqual({ kind: 'early' });
    });

    it('tells nothing from within a call', async () => {
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
      it('tells both ends once and why, after all that was sent', async () => {
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

      it('takes nothing any more', async () => {
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

    it('tells both ends once when both close', async () => {
      const [atA, atB] = [record(a), record(b)];
      a.close('a is done');
      b.close('b is done');
      await Promise.all([atA.closed$, atB.closed$]);
      await settled();
      // Which of the two an end tells depends on whether it had heard of the other's when it closed.
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

    it('tells who opens it after its end', async () => {
      const atA = record(a);
      b.close('not for me');
      await atA.closed$;
      const atB = record(b);
      await atB.closed$;
      expect(atB.reasons).toEqual(['not for me']);
    });

    it('counts what the peer has not read', async () => {
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

    it('drops a peer that does not read', async () => {
      const atA = record(a);
      const payload = patterned(32 * 2 ** 20);
      const frames = Math.ceil(pair.bufferedBytesMax / payload.length) + 1;
      // Some bytes fit into the system's own buffers and count as sent.
      for (let i = 0; i <= frames; i++) a.send({ kind: 'x', i }, payload);
      await atA.closed$;
      expect(atA.reasons).toEqual([NOT_READING]);
      const atB = record(b);
      await atB.closed$;
      expect(atB.received.length).toBeLessThan(frames);
    });
  });
}

/** Gives whatever is still under way the chance to arrive: several turns of the event loop, no time. */
async function settled(): Promise<void> {
  for (let turn = 0; turn < 20; turn++) await new Promise((resolve) => setImmediate(resolve));
}
