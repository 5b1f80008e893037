import { createServer as createHttpServer } from 'node:http';
import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { WebSocket } from 'ws';
import { systemClock } from '../../shared/actor/clock.js';
import { VirtualClock } from '../../shared/actor/virtual-clock.js';
import { encodeHead } from '../../shared/link/frame.js';
import { FRAME_BYTES_MAX, type Link } from '../../shared/link/link.js';
import { UNAUTHENTICATED_PEERS_MAX } from '../../shared/link/unauthenticated-peers.js';
import { CONNECT_WAIT_MS, connectWebSocket } from '../../shared/link/web-socket-client.js';
import { UNAUTHENTICATED_BYTES_MAX } from '../../shared/link/web-socket-server.js';
import { connectUrl } from '../../shared/protocol/join-url.js';
import { patterned, record } from './recorder.js';
import { connectedPair, startServer, type TestServer } from './web-socket-pair.js';

const LARGE = patterned(2 * UNAUTHENTICATED_BYTES_MAX + 65_536);

describe('a web socket to a coordinator', () => {
  let testServer: TestServer;
  beforeEach(async () => {
    testServer = await startServer();
  });
  afterEach(() => testServer.dispose());

  /** A client of another implementation, which masks what it sends, as browsers do. */
  async function foreignClient(): Promise<{ webSocket: WebSocket; socket: Socket; link: Link }> {
    const webSocket = new WebSocket(connectUrl(testServer.address));
    const upgraded = new Promise<Socket>((resolve) =>
      webSocket.once('upgrade', ({ socket }) => resolve(socket)),
    );
    const [socket, link] = await Promise.all([upgraded, testServer.accepted()]);
    webSocket.on('error', () => {});
    if (webSocket.readyState !== WebSocket.OPEN)
      await new Promise((resolve) => webSocket.once('open', resolve));
    return { webSocket, socket, link };
  }

  it('reads frames in one piece or in many, masked or not', async () => {
    const { webSocket, link } = await foreignClient();
    const atServer = record(link);
    const frame = Buffer.concat([encodeHead({ kind: 'x' }, 100), patterned(100)]);
    webSocket.send(frame);
    for (let at = 0; at < frame.length; at += 20) {
      webSocket.send(frame.subarray(at, at + 20), { binary: true, fin: at + 20 >= frame.length });
    }
    await atServer.arrived(2);
    for (const { message, payload } of atServer.received) {
      expect(message).toEqual({ kind: 'x' });
      expect(Buffer.compare(payload, patterned(100))).toBe(0);
      expect(payload.byteOffset % 8).toBe(0);
    }
  });

  it.each<[string, string | Uint8Array, string]>([
    ['text', 'hello', 'the peer sent text instead of a frame'],
    ['nothing', new Uint8Array(0), 'a frame is too short'],
    ['random bytes', patterned(1000), 'a header exceeds 33554432 bytes'],
    ['half a frame', encodeHead({ kind: 'x' }, 0).subarray(0, 8), 'a frame is cut off'],
  ])('closes on %s and tells the peer why', async (_, data, reason) => {
    const { webSocket, link } = await foreignClient();
    const atServer = record(link);
    const reported = new Promise<string>((resolve) =>
      webSocket.once('close', (_code, why) => resolve(`${why}`)),
    );
    webSocket.send(data);
    webSocket.send(encodeHead({ kind: 'after the fault' }, 0));
    await atServer.closed$;
    expect(atServer.reasons).toEqual([reason]);
    expect(atServer.received).toEqual([]);
    expect(await reported).toBe(reason);
  });

  it('closes the connection of an unauthenticated peer that sends too much', async () => {
    const { webSocket, link } = await foreignClient();
    const atServer = record(link);
    webSocket.send(LARGE);
    await atServer.closed$;
    expect(atServer.reasons).toEqual([`a message exceeds ${UNAUTHENTICATED_BYTES_MAX} bytes`]);
    const many = await foreignClient();
    const atMany = record(many.link);
    const small = encodeHead({ kind: 'x' }, 0);
    for (let bytes = 0; bytes < LARGE.length; bytes += small.length) many.webSocket.send(small);
    await atMany.closed$;
    expect(atMany.reasons).toEqual(['the peer sent too much before it authenticated']);
  });

  it('accepts as much from an admitted peer', async () => {
    const [client, server] = await connectedPair(testServer);
    const atServer = record(server);
    client.send({ kind: 'x' }, LARGE);
    await atServer.arrived(1);
    expect(atServer.received[0]?.payload).toHaveLength(LARGE.length);
  });

  it('refuses a frame that announces more than the bound, before its payload arrives', async () => {
    const { socket, link } = await foreignClient();
    link.admit();
    const atServer = record(link);
    // FIN and binary; masked, 64-bit length: 2^40 bytes.
    socket.write(Uint8Array.of(0x82, 0xff, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0));
    await atServer.closed$;
    expect(atServer.reasons).toEqual([`a message exceeds ${FRAME_BYTES_MAX} bytes`]);
  });

  it('closes the oldest unauthenticated connection for a new one, and never an admitted one', async () => {
    const join = (): Promise<Link> => connectWebSocket(testServer.address, systemClock);
    const clients = await Promise.all(Array.from({ length: UNAUTHENTICATED_PEERS_MAX }, join));
    const [first, second, ...rest] = await Promise.all(clients.map(() => testServer.accepted()));
    first?.admit();
    const atSecond = record(second as Link);
    clients.push(await join());
    expect(atSecond.reasons).toEqual([]);
    clients.push(await join());
    await atSecond.closed$;
    expect(atSecond.reasons).toEqual(['closed in favour of a newer connection']);
    const admitted = record(first as Link);
    clients[0]?.send({ kind: 'still here' });
    await admitted.arrived(1);
    expect(admitted.reasons).toEqual([]);
    for (const link of rest) link.close('the test is over');
  });

  it('closes the connection of an unfinished request', async () => {
    const client = connect({ port: testServer.address.port, host: '127.0.0.1', allowHalfOpen: true });
    const answer = new Promise<string>((resolve) => {
      let text = '';
      client.setEncoding('utf8').on('data', (more: string) => {
        text += more;
      });
      client.once('end', () => resolve(text));
    });
    const gone = new Promise((resolve) =>
      testServer.server.once('connection', (socket) => socket.once('close', resolve)),
    );
    client.write('POST / HTTP/1.1\r\nHost: host\r\nContent-Length: 1000000000\r\n\r\n');
    expect(await answer).toMatch(/^HTTP\/1.1 404 .*\r\n\r\nA run of Unisum\./s);
    await gone;
    client.destroy();
  });

  it('rejects another path', async () => {
    const webSocket = new WebSocket(`${connectUrl(testServer.address)}/elsewhere`);
    const answer = new Promise((resolve) => {
      webSocket.once('unexpected-response', (_request, response) => resolve(response.statusCode));
    });
    webSocket.on('error', () => {});
    expect(await answer).toBe(404);
    webSocket.terminate();
  });

  it('closes the connection of a rejected request although the peer does not', async () => {
    const gone = new Promise((resolve) =>
      testServer.server.once('connection', (socket) => socket.once('close', resolve)),
    );
    const client = connect({ port: testServer.address.port, host: '127.0.0.1', allowHalfOpen: true });
    client.write(
      'GET /elsewhere HTTP/1.1\r\nHost: host\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n',
    );
    client.resume();
    await gone;
    client.destroy();
  });

  it('reports a lost connection', async () => {
    const { socket, link } = await foreignClient();
    const atServer = record(link);
    socket.destroy();
    await atServer.closed$;
    expect(atServer.reasons).toEqual(['the connection was lost']);
  });

  it('shortens a long reason and removes unprintable characters', async () => {
    const [client, server] = await connectedPair(testServer);
    const [atClient, atServer] = [record(client), record(server)];
    client.close(`${'ü'.repeat(200)}`);
    await Promise.all([atClient.closed$, atServer.closed$]);
    expect(atServer.reasons).toEqual(['ü'.repeat(60)]);
    const { webSocket, link } = await foreignClient();
    const at = record(link);
    webSocket.close(1000, '\u001b[31mred\u0007');
    await at.closed$;
    expect(at.reasons).toEqual(['[31mred']);
  });
});

describe('connecting to something else than a coordinator', () => {
  let server: Server | undefined;
  afterEach(async () => {
    await new Promise<void>((resolve) => (server === undefined ? resolve() : server.close(() => resolve())));
    server = undefined;
  });

  async function listenWith(other: Server): Promise<{ host: string; port: number; token: string }> {
    server = other;
    await new Promise<void>((resolve) => other.listen(0, '127.0.0.1', resolve));
    return { host: '127.0.0.1', port: (other.address() as AddressInfo).port, token: '' };
  }

  it('reports that nothing listens', async () => {
    const address = await listenWith(createServer());
    await new Promise((resolve) => server?.close(resolve));
    await expect(connectWebSocket(address, systemClock)).rejects.toThrow(
      `cannot connect to 127.0.0.1:${address.port}: nothing listens there`,
    );
  });

  it('reports in one line that nothing is encrypted there', async () => {
    const plain = createServer((socket) =>
      socket
        .on('error', () => {})
        .resume()
        .end('not TLS'),
    );
    const address = { ...(await listenWith(plain)), fingerprint: 'A'.repeat(43) };
    await expect(connectWebSocket(address, systemClock)).rejects.toThrow(
      /^cannot connect to \S+: what listens there does not encrypt as a run does: copy the join line again$/,
    );
  });

  it('gives up after a bounded time', async () => {
    const clock = new VirtualClock();
    const reached = new Promise<void>((resolve) => {
      server = createServer((socket) => socket.on('data', () => resolve()));
    });
    const address = await listenWith(server as Server);
    const connecting = connectWebSocket(address, clock);
    await reached;
    clock.advance(CONNECT_WAIT_MS);
    await expect(connecting).rejects.toThrow('no answer within 10 s');
  });

  it('reports another HTTP server', async () => {
    const address = await listenWith(createHttpServer((_request, response) => response.end('a web page')));
    await expect(connectWebSocket(address, systemClock)).rejects.toThrow('HTTP status 200');
  });

  it('reports a server of another protocol', async () => {
    const address = await listenWith(
      createServer((socket) => socket.resume().end('SSH-2.0-OpenSSH_9.2\r\n')),
    );
    await expect(connectWebSocket(address, systemClock)).rejects.toThrow('Parse Error');
  });
});
