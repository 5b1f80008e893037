import { readFileSync } from 'node:fs';
import { afterEach, describe, expect, it } from 'vitest';
import { SeededRandom } from '../../shared/actor/seeded-random.js';
import { sharedMemory } from '../../shared/kernels/native-kernels.js';
import { linkInProcess } from '../../shared/link/in-process.js';
import type { FrameBounds, Link } from '../../shared/link/link.js';
import { LANES_BYTES, LaneReader, LaneWriter } from '../../shared/link/memory-lane.js';
import { isThisMachine, MemoryLink } from '../../shared/link/memory-link.js';
import { SpareBuffers } from '../../shared/link/spare-buffers.js';

const PORT = 4711;
const KIB = 2 ** 10;

/** Links of these tests, which count as memories of this process until they are closed. */
const opened: Link[] = [];
afterEach(async () => {
  for (const link of opened.splice(0)) link.close('the test is over');
  await turn();
});

/** What is on its way between two ends of one process has arrived. */
const turn = (): Promise<void> => new Promise((resolve) => void setImmediate(resolve));

function noise(bytes: number, seed: number): Uint8Array {
  const random = new SeededRandom(seed);
  const words = new Uint32Array(Math.ceil(bytes / 4));
  for (let i = 0; i < words.length; i++) words[i] = random.next();
  return new Uint8Array(words.buffer, 0, bytes);
}

interface End {
  readonly link: MemoryLink;
  readonly got: { readonly message: unknown; readonly payload: Uint8Array }[];
  readonly closed: string[];
}

interface Pair {
  readonly client: End;
  readonly server: End;
  /** Bytes of payloads that took the connection. */
  readonly carried: () => number;
  /** The ends of the connection, the client's first. */
  readonly inner: [Link, Link];
}

function connect({ ownPort = PORT, bounds }: { ownPort?: number; bounds?: FrameBounds } = {}): Pair {
  const inner = linkInProcess(['server', 'client']);
  let carried = 0;
  const counted = (link: Link): Link =>
    Object.assign(Object.create(link) as Link, {
      send: (message: object, payload?: Uint8Array, onSent?: () => void) => {
        carried += payload?.length ?? 0;
        link.send(message, payload?.slice(), onSent);
      },
      open: link.open.bind(link),
      admit: link.admit.bind(link),
      recycle: link.recycle.bind(link),
      close: link.close.bind(link),
      break: link.break.bind(link),
    });
  const end = (link: MemoryLink): End => {
    const made: End = { link, got: [], closed: [] };
    opened.push(link);
    link.open({
      message: ({ message, payload }) => {
        made.got.push({ message, payload: payload.slice() });
        link.recycle(payload);
      },
      closed: (reason, isFault) => made.closed.push(isFault ? `fault: ${reason}` : reason),
    });
    link.admit(bounds);
    return made;
  };
  const spares = new SpareBuffers();
  const client = end(new MemoryLink(counted(inner[0]), { side: 'client', ownPort, spares }));
  const server = end(new MemoryLink(counted(inner[1]), { side: 'server', peerPort: PORT }));
  return { client, server, carried: () => carried, inner };
}

/** A pair whose ends have the memory. */
async function connected(options: Parameters<typeof connect>[0] = {}): Promise<Pair> {
  const pair = connect(options);
  pair.server.link.send({ kind: 'first' }, noise(32 * KIB, 1));
  await turn();
  await turn();
  await turn();
  return pair;
}

describe.skipIf(sharedMemory() === undefined)('a link between processes of one machine', () => {
  it('carries large payloads in memory once both ends have it, and small ones as before', async () => {
    const { client, server, carried } = await connected();
    expect(client.got).toEqual([{ message: { kind: 'first' }, payload: noise(32 * KIB, 1) }]);
    expect(carried()).toBe(32 * KIB);
    server.link.send({ kind: 'down' }, noise(300 * KIB, 2));
    client.link.send({ kind: 'up' }, noise(200 * KIB, 3));
    client.link.send({ kind: 'small' }, noise(KIB, 4));
    client.link.send({ kind: 'none' });
    await turn();
    await turn();
    expect(client.got[1]).toEqual({ message: { kind: 'down' }, payload: noise(300 * KIB, 2) });
    expect(server.got).toEqual([
      { message: { kind: 'up' }, payload: noise(200 * KIB, 3) },
      { message: { kind: 'small' }, payload: noise(KIB, 4) },
      { message: { kind: 'none' }, payload: new Uint8Array(0) },
    ]);
    expect(carried()).toBe(33 * KIB);
  });

  it('keeps order and bytes where the memory is full in between', async () => {
    const { client, server, carried } = await connected();
    const random = new SeededRandom(5);
    const sizes = Array.from({ length: 120 }, () => random.next() % (400 * KIB));
    for (const round of [0, 1]) {
      for (const [i, bytes] of sizes.entries()) {
        server.link.send({ i }, noise(bytes, i + round));
        client.link.send({ i }, noise(bytes, i + round));
      }
      for (let i = 0; i < 5; i++) await turn();
      for (const got of [client.got.slice(1), server.got]) {
        const mine = got.slice(round * sizes.length);
        expect(mine.map(({ message }) => message)).toEqual(sizes.map((_, i) => ({ i })));
        for (const [i, bytes] of sizes.entries())
          expect(Buffer.compare(mine[i]?.payload as Uint8Array, noise(bytes, i + round))).toBe(0);
      }
    }
    const all = 4 * sizes.reduce((sum, bytes) => sum + bytes, 0);
    expect(carried()).toBeGreaterThan(0);
    expect(carried()).toBeLessThan(0.9 * all);
  });

  it('goes on without memory where something is between its ends, or the first message is none of a member', async () => {
    const { client, server, carried } = await connected({ ownPort: PORT + 1 });
    server.link.send({ kind: 'down' }, noise(100 * KIB, 2));
    client.link.send({ kind: 'up' }, noise(100 * KIB, 3));
    await turn();
    await turn();
    expect(client.got[1]?.payload).toEqual(noise(100 * KIB, 2));
    expect(server.got[0]?.payload).toEqual(noise(100 * KIB, 3));
    expect(carried()).toBe(232 * KIB);
  });

  it('is broken by a payload that exceeds its bound, or does not lie there', async () => {
    const bounds = { headerBytesMax: 1000, payloadBytesMax: () => 64 * KIB };
    for (const [place, reason] of [
      [{ inMemory: 64 * KIB + 1, message: {} }, 'a message has a payload of 65537 bytes, more than 65536'],
      [{ inMemory: 2 ** 30, message: {} }, 'a payload in memory that is not there'],
      [{ inMemory: -8, message: {} }, 'a payload in memory that is not there'],
      [{ inMemory: 32 * KIB, message: 'text' }, 'a payload in memory that is not there'],
    ] as const) {
      const { server, inner } = await connected({ bounds });
      inner[0].send(place);
      await turn();
      await turn();
      expect(server.closed).toEqual([`fault: ${reason}`]);
    }
  });

  it('refuses memory that nobody has offered, and offers out of turn', async () => {
    const before = connect();
    before.inner[0].send({ inMemory: 32 * KIB, message: {} });
    await turn();
    await turn();
    expect(before.server.closed).toEqual(['fault: a payload in memory that is not there']);
    const offer = { process: process.pid, file: 0, port: PORT, secret: '' };
    const again = await connected();
    again.inner[1].send({ memoryOffer: offer });
    await turn();
    await turn();
    expect(again.client.closed).toEqual(['fault: an offer of memory out of turn']);
    const asServer = await connected();
    asServer.inner[0].send({ memoryOffer: offer });
    await turn();
    await turn();
    // For the rooms, as any other message that they do not know.
    expect(asServer.server.got).toEqual([{ message: { memoryOffer: offer }, payload: new Uint8Array(0) }]);
  });

  it('does not open files that are not memory of a run: a wrong secret, another size, another file', async () => {
    const memory = sharedMemory();
    const right = memory?.createShared(LANES_BYTES);
    const short = memory?.createShared(LANES_BYTES - 4096);
    for (const file of [right?.file, short?.file, 0, 1, 1_000_000] as number[]) {
      const pair = connect();
      pair.inner[1].send({ memoryOffer: { process: process.pid, file, port: PORT, secret: 'wrong' } });
      await turn();
      await turn();
      expect(pair.client.closed).toEqual([]);
      pair.client.link.send({ kind: 'up' }, noise(32 * KIB, 1));
      expect(pair.carried()).toBe(32 * KIB);
    }
  });

  it('is one of sixteen that have memory at a time, and gives it back', async () => {
    const pairs = await Promise.all(Array.from({ length: 17 }, () => connected()));
    const rest = (pair: Pair): number => {
      const before = pair.carried();
      pair.server.link.send({ kind: 'down' }, noise(32 * KIB, 2));
      return pair.carried() - before;
    };
    expect(pairs.map(rest).filter((bytes) => bytes > 0)).toEqual([32 * KIB]);
    pairs[0]?.server.link.close('left');
    await turn();
    await turn();
    const next = await connected();
    expect(rest(next)).toBe(0);
  });

  it('has memory that no process can make smaller, and that has no name', () => {
    const memory = sharedMemory();
    const made = memory?.createShared(LANES_BYTES);
    expect(made?.memory.byteLength).toBe(LANES_BYTES);
    expect(readFileSync('/proc/self/maps', 'utf8')).toContain('memfd:unisum (deleted)');
    expect(memory?.openShared('/etc/hostname', 8)).toBeUndefined();
    expect(memory?.openShared('/dev/zero', LANES_BYTES)).toBeUndefined();
  });
});

describe('a lane', () => {
  it('has room again when its reader is done, in whatever order, and is not misled by a reader that lies', () => {
    const memory = new ArrayBuffer(LANES_BYTES);
    const [writer, reader] = [new LaneWriter(memory, 0), new LaneReader(memory, 0)];
    const one = noise(1024 * KIB, 1);
    const held = [0, 1, 2, 3].map(() => {
      expect(writer.write(one)).toBe(true);
      return reader.read(one.length);
    });
    expect(writer.write(one.subarray(0, 64))).toBe(false);
    expect(reader.release(held[1] as Uint8Array)).toBe(true);
    expect(writer.write(one)).toBe(false);
    expect(reader.release(held[0] as Uint8Array)).toBe(true);
    expect(reader.release(held[0] as Uint8Array)).toBe(false);
    expect(writer.write(one)).toBe(true);
    expect(Buffer.compare(reader.read(one.length), one)).toBe(0);
    // It says that it has read more than was written.
    new Uint32Array(memory, 0, 1)[0] = 2 ** 31;
    expect(writer.write(one)).toBe(false);
    expect(writer.write(noise(LANES_BYTES, 1))).toBe(false);
  });
});

it('knows the addresses of this machine', () => {
  const addresses = [
    '127.0.0.1',
    '127.4.5.6',
    '::1',
    '::ffff:127.0.0.1',
    '10.0.0.1',
    '::ffff:10.0.0.1',
    undefined,
  ];
  expect(addresses.map(isThisMachine)).toEqual([true, true, true, true, false, false, false]);
});
