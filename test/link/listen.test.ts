import { connect, isIP } from 'node:net';
import { expect, it } from 'vitest';
import { type Clock, systemClock } from '../../shared/actor/clock.js';
import { UserError } from '../../shared/errors.js';
import { listen, parseListenAddress, reachableHost } from '../../shared/link/listen.js';

it.each([
  ['127.0.0.1:7070', { host: '127.0.0.1', port: 7070 }],
  [' localhost:0 ', { host: 'localhost', port: 0 }],
  ['[::1]:65535', { host: '::1', port: 65_535 }],
])('reads %j', (text, address) => {
  expect(parseListenAddress(text)).toEqual(address);
});

it.each([
  '',
  '7070',
  ':7070',
  'host',
  'host:',
  'host:x',
  'host:65536',
  'ho st:1',
  '::1:80',
  '[1]:80',
  'a:1:2',
  'host:-1',
])('refuses %j and names the right form', (text) => {
  const parsing = (): unknown => parseListenAddress(text);
  expect(parsing).toThrow(UserError);
  expect(parsing).toThrow(
    `"${text}" is not an address to listen on; write host:port, such as 127.0.0.1:7070`,
  );
});

it('names the fix when a port is in use', async () => {
  const { server, port } = await listen({ host: '127.0.0.1', port: 0 }, { clock: systemClock });
  const second = listen({ host: '127.0.0.1', port }, { clock: systemClock });
  await expect(second).rejects.toThrow(
    new UserError(
      `cannot listen on 127.0.0.1:${port}: the port is in use; choose another one, or 0 for any free port`,
    ),
  );
  server.close();
});

it('names the fix when the machine has no such address', async () => {
  // 192.0.2.0/24 is reserved for documentation (RFC 5737): no machine has it.
  await expect(listen({ host: '192.0.2.1', port: 0 }, { clock: systemClock })).rejects.toThrow(
    'this machine has no such address',
  );
});

it('goes on after bytes that are not HTTP', async () => {
  const { server, port } = await listen({ host: '127.0.0.1', port: 0 }, { clock: systemClock });
  const socket = connect(port, '127.0.0.1');
  const closed = new Promise((resolve) => socket.on('close', resolve));
  socket.write(Buffer.alloc(100_000, 7));
  socket.on('error', () => {});
  socket.resume();
  await closed;
  expect(server.listening).toBe(true);
  await new Promise((resolve) => server.close(resolve));
});

it('closes a connection that reads its answer a byte now and then, when it has had a minute', async () => {
  // Alone what waits for a minute comes due.
  let due: (() => void) | undefined;
  const clock: Clock = {
    nowMs: () => 0,
    after(delayMs, fire) {
      if (delayMs === 60_000) due = fire;
      return () => {};
    },
  };
  // More than a connection takes that nobody reads.
  const answer = { status: 200, headers: {}, body: Buffer.alloc(64 * 2 ** 20) };
  const { server, port } = await listen(
    { host: '127.0.0.1', port: 0 },
    { clock, answerRequest: () => answer },
  );
  const socket = connect(port, '127.0.0.1');
  socket.on('error', () => {});
  socket.write('GET / HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n');
  await new Promise((resolve) => socket.once('readable', resolve));
  for (let i = 0; i < 10; i++) expect(socket.read(1)).toHaveLength(1);
  due?.();
  let received = 10;
  const closed = new Promise((resolve) => socket.once('close', resolve));
  socket.on('data', (bytes) => {
    received += bytes.length;
  });
  await closed;
  expect(received).toBeLessThan(answer.body.length);
  await new Promise((resolve) => server.close(resolve));
});

it('finds an address that other machines can reach', async () => {
  expect(await reachableHost('192.168.1.7')).toBe('192.168.1.7');
  expect(await reachableHost('0.0.0.0')).not.toBe('0.0.0.0');
  expect(isIP(await reachableHost('0.0.0.0'))).toBe(4);
  expect(isIP(await reachableHost('::'))).not.toBe(0);
  expect(await reachableHost('::')).not.toMatch(/^(::|fe80:.*)$/);
});
