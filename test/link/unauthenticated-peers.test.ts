import { Socket } from 'node:net';
import { describe, expect, it } from 'vitest';
import { indexToClose, networkOf, UnauthenticatedPeers } from '../../shared/link/unauthenticated-peers.js';

describe('the connection that is closed when there is one too many', () => {
  it.each([
    ['is the oldest, if each is from another network', 'a b c d', 0],
    ['is the oldest from the busiest network', 'a b c b d', 1],
    ['is from the busiest network, though all others are older', 'a c d e f b b', 5],
    ['is from the network of the latest one, if that is the busiest', 'a b c c', 2],
    ['is the oldest from two networks with the same number', 'a b c b c', 1],
    ['is the only one', 'a', 0],
  ])('%s', (_what, networks, index) => {
    expect(indexToClose(networks.split(' '))).toBe(index);
  });

  it('is never the only one from its network, however many another network opens', () => {
    const networks = ['honest'];
    for (let i = 0; i < 1000; i++) {
      networks.push('flood');
      if (networks.length > 8) networks.splice(indexToClose(networks), 1);
    }
    expect(networks[0]).toBe('honest');
    expect(networks).toHaveLength(8);
  });
});

it('is counted to the network that a proxy connects for', () => {
  const peers = new UnauthenticatedPeers(3);
  const closed: number[] = [];
  const connect = (port: number, network: string): void => {
    const socket = Object.assign(new Socket(), { destroy: () => void closed.push(port) });
    Object.defineProperty(socket, 'remoteAddress', { value: '127.0.0.1' });
    Object.defineProperty(socket, 'remotePort', { value: port });
    peers.add(socket);
    peers.setNetwork(socket, network);
  };
  connect(1, 'honest');
  for (const port of [2, 3, 4, 5]) connect(port, 'flood');
  expect(closed).toEqual([2, 3]);
});

describe('the network', () => {
  it.each([
    ['192.0.2.7', '192.0.2.7'],
    ['::ffff:192.0.2.7', '192.0.2.7'],
    ['2001:db8:1:2:3:4:5:6', '2001:db8:1:2::/64'],
    ['2001:db8:1:2::9', '2001:db8:1:2::/64'],
    ['2001:db8::9', '2001:db8:0:0::/64'],
    ['2001:db8::3:4:5:6:7', '2001:db8:0:3::/64'],
    ['fe80::1%eth0', 'fe80:0:0:0::/64'],
    ['::1', '0:0:0:0::/64'],
  ])('of %s is the same for all addresses of a host', (address, network) => {
    expect(networkOf(address)).toBe(network);
  });
});
