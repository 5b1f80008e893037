import { describe, expect, it } from 'vitest';
import { networkOf, whoMakesRoom } from '../../shared/link/strangers.js';

describe('room for one more stranger', () => {
  it.each([
    ['is made by the oldest, where each comes from elsewhere', 'a b c d', 0],
    ['is made by the oldest from where most come from', 'a b c b d', 1],
    ['is made by those who come in numbers, though all others are older', 'a c d e f b b', 5],
    ['is made by its own like, when the newcomer is from where most come from', 'a b c c', 2],
    ['is made by the oldest of two networks that have as many', 'a b c b c', 1],
    ['is made by itself, where there is nobody else', 'a', 0],
  ])('%s', (_what, networks, place) => {
    expect(whoMakesRoom(networks.split(' '))).toBe(place);
  });

  it('is never made by who is alone in its network, however many one other sends', () => {
    const networks = ['honest'];
    for (let i = 0; i < 1000; i++) {
      networks.push('flood');
      if (networks.length > 8) networks.splice(whoMakesRoom(networks), 1);
    }
    expect(networks[0]).toBe('honest');
    expect(networks).toHaveLength(8);
  });
});

describe('one network', () => {
  it.each([
    ['192.0.2.7', '192.0.2.7'],
    ['::ffff:192.0.2.7', '192.0.2.7'],
    ['2001:db8:1:2:3:4:5:6', '2001:db8:1:2::/64'],
    ['2001:db8:1:2::9', '2001:db8:1:2::/64'],
    ['2001:db8::9', '2001:db8:0:0::/64'],
    ['2001:db8::3:4:5:6:7', '2001:db8:0:3::/64'],
    ['fe80::1%eth0', 'fe80:0:0:0::/64'],
    ['::1', '0:0:0:0::/64'],
  ])('is where %s comes from', (address, network) => {
    expect(networkOf(address)).toBe(network);
  });
});
