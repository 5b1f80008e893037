import fc from 'fast-check';
import { expect, it } from 'vitest';
import { randomIdentifier } from '../../shared/actor/rng.js';
import { UserError } from '../../shared/errors.js';
import {
  connectUrl,
  formatJoinUrl,
  formatWatchUrl,
  parseJoinUrl,
  parseWatchUrl,
} from '../../shared/protocol/join-url.js';
import { watchToken } from '../../shared/protocol/proof.js';

const token = 'abcdefghijklmnopqrst_-';
const fingerprint = 'F'.repeat(43);

it.each([
  [`ws://127.0.0.1:7070/#${token}`, { host: '127.0.0.1', port: 7070, token }],
  [`  ws://example.com:80#${token}\n`, { host: 'example.com', port: 80, token }],
  [`ws://[::1]:7070/#${token}`, { host: '::1', port: 7070, token }],
  [`wss://host:443/#${token}.${fingerprint}`, { host: 'host', port: 443, token, fingerprint }],
])('reads %j', (text, address) => {
  expect(parseJoinUrl(text)).toEqual(address);
});

it('reads what it writes', () => {
  const hosts = fc.oneof(
    fc.ipV4(),
    fc.domain().map((name) => name.toLowerCase()),
    fc.constantFrom('localhost', '::1', 'fe80::1'),
  );
  fc.assert(
    fc.property(hosts, fc.integer({ min: 1, max: 65_535 }), fc.boolean(), (host, port, tls) => {
      const address = { host, port, token: randomIdentifier(), ...(tls && { fingerprint }) };
      expect(parseJoinUrl(formatJoinUrl(address))).toEqual(address);
    }),
  );
});

it('permits watching with a watch URL and with a join URL, and joining with a join URL only', () => {
  const address = { host: 'host', port: 443, token, fingerprint };
  const toWatch = { ...address, token: watchToken(token) };
  const line = formatWatchUrl(address);
  expect(line).toMatch(/^wss:\/\/host:443\/watch#[\w-]{43}\.F{43}$/);
  expect(line).not.toContain(token);
  expect(parseWatchUrl(line)).toEqual(toWatch);
  expect(parseWatchUrl(formatJoinUrl(address))).toEqual(toWatch);
  expect(() => parseJoinUrl(line)).toThrow('it permits watching only (use it with "unisum watch")');
});

it('does not send the token', () => {
  const address = { host: '::1', port: 7070, token };
  expect(connectUrl(address)).toBe('ws://[::1]:7070/join');
  expect(connectUrl({ ...address, fingerprint })).toBe('wss://[::1]:7070/join');
});

it.each([
  ['', 'it must begin with ws:// or wss://'],
  ['127.0.0.1:7070', 'it must begin with ws:// or wss://'],
  [`wss://host:1/#${token}`, 'wss:// needs a fingerprint after the token, and ws:// must not have one'],
  [
    `ws://host:1/#${token}.${fingerprint}`,
    'wss:// needs a fingerprint after the token, and ws:// must not have one',
  ],
  [
    `wss://host:1/#${token}.${fingerprint.slice(1)}`,
    'the fingerprint after the token is incomplete or altered',
  ],
  [`wss://host:1/#${token}.${fingerprint}.x`, 'the token after # is incomplete or altered'],
  [`http://host:1/#${token}`, 'it must begin with ws://'],
  [`ws://:1/#${token}`, 'its host or port is wrong'],
  [`ws://host:99999/#${token}`, 'its host or port is wrong'],
  [`ws://host:x/#${token}`, 'its host or port is wrong'],
  [`ws://host name:1/#${token}`, 'its host or port is wrong'],
  [`ws://host:0/#${token}`, 'port 0 cannot be connected to'],
  [`ws://host:p@host:1/#${token}`, 'it must not hold a user name'],
  [`ws://host:1/b#${token}`, 'only # and the token may follow the port'],
  [`ws://host:1/?q#${token}`, 'only # and the token may follow the port'],
  ['ws://host:1/', 'the token after # is missing'],
  ['ws://host:1/#', 'the token after # is missing'],
  [`ws://host:1/#${token.slice(1)}`, 'the token after # is incomplete or altered'],
  [`ws://host:1/#${token}%20`, 'the token after # is incomplete or altered'],
  [`ws://${'a'.repeat(500)}/`, 'it is too long'],
])('refuses %j: %s', (text, reason) => {
  expect(() => parseJoinUrl(text)).toThrow(UserError);
  expect(() => parseJoinUrl(text)).toThrow(`the join URL is malformed: ${reason}`);
});

it('reads any text as an address, or throws a UserError without the token', () => {
  const texts = fc.oneof(
    fc.string(),
    fc.string().map((end) => `ws://host:1/#${token}${end}`),
    fc.string().map((middle) => `ws://${middle}#${token}`),
  );
  fc.assert(
    fc.property(texts, (text) => {
      try {
        parseJoinUrl(text);
      } catch (error) {
        expect(error).toBeInstanceOf(UserError);
        expect((error as Error).message).not.toContain(token);
      }
    }),
    { numRuns: 2000 },
  );
});
