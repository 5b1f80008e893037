import { beforeAll, describe, expect, it, vi } from 'vitest';
import { WebSocket as NodeWebSocket } from 'ws';
import { systemClock } from '../../shared/actor/clock.js';
import { PIECE_BYTES } from '../../shared/link/frame-pieces.js';
import { BUFFERED_BYTES_MAX, type Envelope, type Link } from '../../shared/link/link.js';
import { connectUrl } from '../../shared/protocol/join-url.js';
import { connectBrowserLink } from '../../web/link/browser-link.js';
import { startServer } from '../link/web-socket-pair.js';
import { linkSuite } from '../suites/link-suite.js';

// Node 20 has no WebSocket of its own. The class of ws has the same interface.
beforeAll(() => {
  globalThis.WebSocket = NodeWebSocket as unknown as typeof WebSocket;
});

for (const [name, turn] of [
  ['browser first', 0],
  ['server first', 1],
] as const) {
  linkSuite(`browser link, ${name}`, async () => {
    const { client, server, dispose } = await admitted();
    return {
      ends: turn === 0 ? [client, server] : [server, client],
      bufferedBytesMax: BUFFERED_BYTES_MAX,
      sendsUnread: turn === 0,
      readsUnopened: turn === 1,
      dispose,
    };
  });
}

/** Both ends of a connection, which nobody has opened. */
async function admitted() {
  const testServer = await startServer();
  const [client, server] = await Promise.all([
    connectBrowserLink(connectUrl(testServer.address), systemClock),
    testServer.accepted(),
  ]);
  client.admit();
  server.admit();
  return { client, server, dispose: testServer.dispose };
}

/** Both ends of a connection, and what they receive. */
async function connected() {
  const { client, server, dispose } = await admitted();
  return { client, server, next: [client, server].map(reader), dispose };
}

/** Opens a link. @returns a function for the next message that it receives */
function reader(link: Link): () => Promise<Envelope> {
  const waiting: ((envelope: Envelope) => void)[] = [];
  link.open({ message: (envelope) => waiting.shift()?.(envelope), closed: () => {} });
  return () => new Promise((resolve) => void waiting.push(resolve));
}

describe('browser link', () => {
  it('reads a payload into memory that it was given back', async () => {
    const { client, server, next, dispose } = await connected();
    const [received] = next as [() => Promise<Envelope>];
    const buffers: ArrayBufferLike[] = [];
    for (const value of [1, 2]) {
      const arriving = received();
      server.send({ kind: 'a' }, new Uint8Array(1000).fill(value));
      const { payload } = await arriving;
      expect(payload).toEqual(new Uint8Array(1000).fill(value));
      buffers.push(payload.buffer);
      client.recycle(payload);
    }
    expect(buffers[1]).toBe(buffers[0]);
    await dispose();
  });

  it('sends a message in as few pieces as its bytes need, from shared memory too', async () => {
    const { client, next, dispose } = await connected();
    const [, received] = next as [unknown, () => Promise<Envelope>];
    const send = vi.spyOn(NodeWebSocket.prototype, 'send');
    const payload = new Uint8Array(new SharedArrayBuffer(2 * PIECE_BYTES)).fill(7);
    for (const [bytes, pieces] of [
      [0, 1],
      [1000, 1],
      [PIECE_BYTES, 2],
      [2 * PIECE_BYTES, 3],
    ] as const) {
      send.mockClear();
      const arriving = received();
      client.send({ kind: 'a' }, payload.subarray(0, bytes));
      expect(send).toHaveBeenCalledTimes(pieces);
      // `toEqual` would take seconds.
      expect(Buffer.compare((await arriving).payload, Buffer.alloc(bytes, 7))).toBe(0);
    }
    send.mockRestore();
    await dispose();
  });
});
