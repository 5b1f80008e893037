import { connect } from 'node:net';
import { expect, it } from 'vitest';
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
])('refuses %j and says how to write it', (text) => {
  const parsing = (): unknown => parseListenAddress(text);
  expect(parsing).toThrow(UserError);
  expect(parsing).toThrow(`"${text}" is no address to listen on; write host:port, such as 127.0.0.1:7070`);
});

it('names the mend when a port is in use', async () => {
  const { server, port } = await listen({ host: '127.0.0.1', port: 0 });
  const second = listen({ host: '127.0.0.1', port });
  await expect(second).rejects.toThrow(
    new UserError(
      `cannot listen on 127.0.0.1:${port}: the port is in use; choose another, or 0 for any free one`,
    ),
  );
  server.close();
});

it('names the mend when the machine has no such address', async () => {
  // 192.0.2.0/24 is set aside for documentation (RFC 5737): no machine has it.
  await expect(listen({ host: '192.0.2.1', port: 0 })).rejects.toThrow('this machine has no such address');
});

it('survives what is no HTTP', async () => {
  const { server, port } = await listen({ host: '127.0.0.1', port: 0 });
  const socket = connect(port, '127.0.0.1');
  const closed = new Promise((resolve) => socket.on('close', resolve));
  socket.write(Buffer.alloc(100_000, 7));
  socket.on('error', () => {});
  socket.resume();
  await closed;
  expect(server.listening).toBe(true);
  await new Promise((resolve) => server.close(resolve));
});

it('tells others an address they can reach', () => {
  expect(reachableHost('192.168.1.7')).toBe('192.168.1.7');
  expect(reachableHost('0.0.0.0')).not.toBe('0.0.0.0');
  expect(reachableHost('::')).toMatch(/^\d+\.\d+\.\d+\.\d+$/);
});
