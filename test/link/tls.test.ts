import { connect, createServer, type Server, type Socket } from 'node:net';
import { connect as connectTls } from 'node:tls';
import { afterEach, expect, it } from 'vitest';
import { epochMs, systemClock } from '../../shared/actor/clock.js';
import { type Certificate, createCertificate, fingerprintOf } from '../../shared/link/certificate.js';
import { BUFFERED_BYTES_MAX, type Link } from '../../shared/link/link.js';
import { isLoopback, type Listening, listen } from '../../shared/link/listen.js';
import { UNAUTHENTICATED_PEERS_MAX } from '../../shared/link/unauthenticated-peers.js';
import { connectWebSocket } from '../../shared/link/web-socket-client.js';
import { acceptWebSockets } from '../../shared/link/web-socket-server.js';
import type { JoinAddress } from '../../shared/protocol/join-url.js';
import { linkSuite } from '../suites/link-suite.js';
import { record } from './recorder.js';

const YEAR_MS = 365 * 24 * 3600 * 1000;
const open: { close(): Promise<void> }[] = [];

afterEach(async () => {
  await Promise.all(open.splice(0).map((server) => server.close()));
});

/** Starts a coordinator's server with this certificate. */
async function startServer(certificate: Certificate): Promise<{
  listening: Listening;
  address: JoinAddress;
  links: Link[];
  accepted: Promise<Link>;
}> {
  const listening = await listen({ host: '127.0.0.1', port: 0 }, { clock: systemClock, certificate });
  open.push(listening);
  const links: Link[] = [];
  const accepted = new Promise<Link>((resolve) =>
    acceptWebSockets(listening, { clock: systemClock, listenHost: '127.0.0.1' }, (link) => {
      links.push(link);
      resolve(link);
    }),
  );
  const fingerprint = fingerprintOf(certificate.certificate);
  const address = { host: '127.0.0.1', port: listening.port, token: 'A'.repeat(22), fingerprint };
  return { listening, address, links, accepted };
}

linkSuite('web socket over TLS', async () => {
  const { address, accepted, listening } = await startServer(await createCertificate(epochMs()));
  const [client, server] = await Promise.all([connectWebSocket(address, systemClock), accepted]);
  client.admit();
  server.admit();
  return { ends: [client, server], bufferedBytesMax: BUFFERED_BYTES_MAX, dispose: listening.close };
});

it('sends nothing to a server with another certificate', async () => {
  const { address, links } = await startServer(await createCertificate(epochMs()));
  const other = fingerprintOf((await createCertificate(epochMs())).certificate);
  await expect(connectWebSocket({ ...address, fingerprint: other }, systemClock)).rejects.toThrow(
    /^cannot connect to 127\.0\.0\.1:\d+: its certificate is not the one of the join line/,
  );
  expect(links).toEqual([]);
});

it.each([
  ['has expired', -2 * YEAR_MS],
  ['is not valid yet', 2 * YEAR_MS],
])('refuses a certificate that %s', async (what, offMs) => {
  const { address, links } = await startServer(await createCertificate(epochMs() + offMs));
  await expect(connectWebSocket(address, systemClock)).rejects.toThrow(`its certificate ${what} (`);
  expect(links).toEqual([]);
});

it('does not connect to an unencrypted server with a fingerprint, or without one to an encrypted server', async () => {
  const plain = await listen({ host: '127.0.0.1', port: 0 }, { clock: systemClock });
  open.push(plain);
  const address = { host: '127.0.0.1', port: plain.port, token: '', fingerprint: 'F'.repeat(43) };
  await expect(connectWebSocket(address, systemClock)).rejects.toThrow('cannot connect to 127.0.0.1');
  const { address: encrypted } = await startServer(await createCertificate(epochMs()));
  const { fingerprint: _, ...without } = encrypted;
  await expect(connectWebSocket(without, systemClock)).rejects.toThrow('cannot connect to 127.0.0.1');
});

it('accepts no older version than TLS 1.3', async () => {
  const { listening } = await startServer(await createCertificate(epochMs()));
  const old = connectTls({ port: listening.port, rejectUnauthorized: false, maxVersion: 'TLSv1.2' });
  const error = await new Promise<NodeJS.ErrnoException>((resolve) => old.once('error', resolve));
  expect(error.code).toMatch(/PROTOCOL_VERSION/);
});

it('closes the oldest of many silent connections, and accepts a worker', async () => {
  const { listening, address, accepted } = await startServer(await createCertificate(epochMs()));
  const first = connect(address.port, '127.0.0.1');
  const gone = new Promise((resolve) => first.once('close', resolve));
  await new Promise((resolve) => listening.server.once('connection', resolve));
  const flood = Array.from({ length: UNAUTHENTICATED_PEERS_MAX - 1 }, () =>
    connect(address.port, '127.0.0.1'),
  );
  await Promise.all(flood.map((socket) => new Promise((resolve) => socket.once('connect', resolve))));
  const link = record(await connectWebSocket(address, systemClock));
  await Promise.all([accepted, gone]);
  expect(link.reasons).toEqual([]);
  for (const socket of flood) socket.destroy();
});

it('closes no admitted connection, however many unauthenticated peers connect', async () => {
  const { listening, address, accepted } = await startServer(await createCertificate(epochMs()));
  const [client, server] = await Promise.all([connectWebSocket(address, systemClock), accepted]);
  server.admit();
  const atServer = record(server);
  const closed: Promise<unknown>[] = [];
  const seen = new Promise<void>((resolve) => {
    let count = 0;
    listening.server.on('connection', () => ++count === 2 * UNAUTHENTICATED_PEERS_MAX && resolve());
  });
  const flood = Array.from({ length: 2 * UNAUTHENTICATED_PEERS_MAX }, () =>
    connect(address.port, '127.0.0.1'),
  );
  for (const socket of flood.slice(0, UNAUTHENTICATED_PEERS_MAX))
    closed.push(new Promise((resolve) => socket.on('error', () => {}).once('close', resolve)));
  await seen;
  // The older half was closed.
  await Promise.all(closed);
  client.send({ kind: 'still here' });
  await atServer.arrived(1);
  expect(atServer.reasons).toEqual([]);
  for (const socket of flood) socket.destroy();
});

it('frees the port although a handshake is unfinished', async () => {
  const { listening } = await startServer(await createCertificate(epochMs()));
  const connected = new Promise((resolve) => listening.server.once('connection', resolve));
  const silent = connect(listening.port, '127.0.0.1');
  const gone = new Promise((resolve) => silent.once('close', resolve));
  silent.on('error', () => {});
  await connected;
  await Promise.all([listening.close(), gone]);
});

it('hides all messages from an eavesdropper', async () => {
  const { address, accepted } = await startServer(await createCertificate(epochMs()));
  const seen: Buffer[] = [];
  const tap: Server = createServer((outer: Socket) => {
    const inner = connect(address.port, '127.0.0.1');
    outer.on('data', (bytes) => seen.push(bytes));
    outer.pipe(inner).pipe(outer);
    outer.on('error', () => {});
    inner.on('error', () => {});
  });
  await new Promise<void>((resolve) => tap.listen(0, '127.0.0.1', resolve));
  const { port } = tap.address() as { port: number };
  const client = await connectWebSocket({ ...address, port }, systemClock);
  const atServer = record(await accepted);
  const atClient = record(client);
  client.send({ kind: 'secret words' });
  await atServer.arrived(1);
  client.close('done');
  await atClient.closed$;
  tap.close();
  const all = Buffer.concat(seen);
  expect(all.length).toBeGreaterThan(100);
  expect(all.includes('secret words')).toBe(false);
  expect(all.includes('/join')).toBe(false);
});

it.each([
  ['127.0.0.1', true],
  ['127.1.2.3', true],
  ['::1', true],
  ['localhost', true],
  ['0.0.0.0', false],
  ['::', false],
  ['127.example.com', false],
  ['192.168.0.1', false],
])('tells whether only this machine reaches %s: %s', (name, expected) => {
  expect(isLoopback(name)).toBe(expected);
});
