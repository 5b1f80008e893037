import { once } from 'node:events';
import type { BlockList } from 'node:net';
import { describe, expect, it } from 'vitest';
import { WebSocket } from 'ws';
import { systemClock } from '../../shared/actor/clock.js';
import { clientAddress, proxyList } from '../../shared/link/forwarded.js';
import { listen } from '../../shared/link/listen.js';
import { acceptWebSockets } from '../../shared/link/web-socket-server.js';
import { JOIN_PATH } from '../../shared/protocol/join-url.js';

const trusting = (...entries: string[]): BlockList => proxyList(entries) as BlockList;

describe('whom a proxy connects for', () => {
  const PROXIES = trusting('127.0.0.1', '10.0.0.0/8', 'fd00::/8');

  it.each([
    ['is the last entry of a trusted proxy', '127.0.0.1', '192.0.2.7', '192.0.2.7'],
    ['is not what its client has written before', '127.0.0.1', '198.51.100.1, 192.0.2.7', '192.0.2.7'],
    ['is found behind several trusted proxies', '127.0.0.1', '192.0.2.7, 10.1.2.3,10.0.0.9', '192.0.2.7'],
    ['is an address without port and brackets', 'fd00::1', '[2001:db8::7]:4711', '2001:db8::7'],
    ['is an IPv4 address without its port', '::ffff:10.0.0.1', '192.0.2.7:4711', '192.0.2.7'],
    ['is the peer where none is trusted', '192.0.2.9', '192.0.2.7', '192.0.2.9'],
    ['is an IPv4 address also on an IPv6 socket', '::ffff:192.0.2.9', '192.0.2.7', '192.0.2.9'],
    ['is the proxy where it names nobody', '127.0.0.1', undefined, '127.0.0.1'],
    ['is the proxy where it names no address', '127.0.0.1', '192.0.2.7, unknown', '127.0.0.1'],
    ['is the first proxy where all are trusted', '127.0.0.1', '10.0.0.1, 10.0.0.2', '10.0.0.1'],
  ])('%s', (_, peer, header, client) => {
    expect(clientAddress(peer, header, PROXIES)).toBe(client);
  });

  it('is the peer unless proxies are named', () => {
    expect(clientAddress('127.0.0.1', '192.0.2.7', trusting())).toBe('127.0.0.1');
  });
});

it.each(['', 'proxy.example', '10.0.0.0/33', '10.0.0/8', '::/129', '10.0.0.1/', ' 10.0.0.1'])(
  '%j is no address or network of a proxy',
  (entry) => {
    expect(proxyList(['127.0.0.1', entry])).toBeUndefined();
  },
);

it.each([
  ['a trusted proxy', trusting('127.0.0.1'), '192.0.2.7'],
  ['anybody else', undefined, '127.0.0.1'],
])('a link through %s has the address of its peer', async (_, trustedProxies, address) => {
  const listening = await listen({ host: '127.0.0.1', port: 0 }, { clock: systemClock, trustedProxies });
  const linked = new Promise<string>((resolve) =>
    acceptWebSockets(listening, { clock: systemClock, listenHost: '127.0.0.1' }, ({ peer }) => resolve(peer)),
  );
  const headers = { 'X-Forwarded-For': '198.51.100.1, 192.0.2.7' };
  const socket = new WebSocket(`ws://127.0.0.1:${listening.port}${JOIN_PATH}`, { headers });
  await once(socket, 'open');
  expect((await linked).replace(/:\d+$/, '')).toBe(address);
  socket.terminate();
  await listening.close();
});
