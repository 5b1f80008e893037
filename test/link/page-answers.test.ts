import { request } from 'node:http';
import { connect } from 'node:net';
import { hostname } from 'node:os';
import { gunzipSync } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { WebSocket } from 'ws';
import { systemClock } from '../../shared/actor/clock.js';
import { type Listening, listen } from '../../shared/link/listen.js';
import { answerPages } from '../../shared/link/page-answers.js';
import { acceptWebSockets } from '../../shared/link/web-socket-server.js';

const BYTES = Buffer.from('<!doctype html>');
const FILES = new Map([
  ['/', { type: 'text/html; charset=utf-8', bytes: BYTES, gzip: Buffer.from('compressed') }],
]);

let listening: Listening;
beforeAll(async () => {
  const answerRequest = answerPages(FILES, 'run.example');
  listening = await listen({ host: '127.0.0.1', port: 0 }, { clock: systemClock, answerRequest });
  acceptWebSockets(listening, { clock: systemClock, listenHost: 'run.example' }, (link) =>
    link.open({ message: () => {}, closed: () => {} }),
  );
});
afterAll(() => listening.close());

interface Answered {
  readonly status: number | undefined;
  readonly headers: Readonly<Record<string, unknown>>;
  readonly body: Buffer;
}

function ask(path: string, headers: Record<string, string> = {}, method = 'GET'): Promise<Answered> {
  return new Promise((resolve, reject) => {
    const sent = request({ host: '127.0.0.1', port: listening.port, path, method, headers }, (response) => {
      const pieces: Buffer[] = [];
      response.on('data', (piece: Buffer) => pieces.push(piece));
      response.on('end', () =>
        resolve({ status: response.statusCode, headers: response.headers, body: Buffer.concat(pieces) }),
      );
    });
    sent.on('error', reject);
    sent.end();
  });
}

describe('a request for a page', () => {
  it('is answered with the file, its type and a strict policy', async () => {
    const { status, headers, body } = await ask('/');
    expect([status, body]).toEqual([200, BYTES]);
    expect(headers).toMatchObject({
      'content-type': 'text/html; charset=utf-8',
      'cross-origin-opener-policy': 'same-origin',
      'cross-origin-embedder-policy': 'require-corp',
      'referrer-policy': 'no-referrer',
      'x-content-type-options': 'nosniff',
    });
    expect(headers['content-security-policy']).toMatch(
      /^default-src 'none'; script-src 'self' 'wasm-unsafe-eval';/,
    );
    expect(headers['content-security-policy']).not.toMatch(/unsafe-inline|'unsafe-eval'|https?:|\*/);
  });

  it('is answered with the compressed bytes where the browser takes them', async () => {
    const { headers, body } = await ask('/', { 'accept-encoding': 'gzip, br' });
    expect([headers['content-encoding'], body.toString()]).toEqual(['gzip', 'compressed']);
    expect(() => gunzipSync(body)).toThrow();
  });

  it('has no body for HEAD, and other methods are refused', async () => {
    expect(await ask('/', {}, 'HEAD')).toMatchObject({ status: 200, body: Buffer.alloc(0) });
    expect(await ask('/', {}, 'POST')).toMatchObject({ status: 405, headers: { allow: 'GET, HEAD' } });
  });

  it.each(['/nothing', '/../package.json', '//', '/?x', '/%2e%2e/', '/page/'])(
    'finds nothing at %s',
    async (path) => {
      expect((await ask(path)).status).toBe(404);
    },
  );

  it.each(['127.0.0.1:1', '[::1]:1', 'localhost', 'run.example:7700', hostname(), `${hostname()}.local:80`])(
    'is answered under the name %s',
    async (host) => {
      expect((await ask('/', { host })).status).toBe(200);
    },
  );

  it.each(['example.com', 'localhost.example.com', '127.0.0.1.example.com:80', 'x y'])(
    'is refused under the name %s, which somebody else may have pointed here',
    async (host) => {
      const { status, body } = await ask('/', { host });
      expect(status).toBe(421);
      expect(body.toString()).toMatch(/^open the page by this machine's address/);
    },
  );

  it('claims no isolation where a browser would not grant it', async () => {
    const { headers } = await ask('/', { host: '192.0.2.1:7700' });
    expect(headers['cross-origin-opener-policy']).toBeUndefined();
  });

  it('is closed when its answer is not needed: the connection serves one request', async () => {
    const socket = connect(listening.port, '127.0.0.1');
    const pieces: Buffer[] = [];
    socket.on('data', (piece: Buffer) => pieces.push(piece));
    const closed = new Promise((resolve) => socket.on('close', resolve));
    socket.write('GET / HTTP/1.1\r\nHost: localhost\r\n\r\nGET / HTTP/1.1\r\nHost: localhost\r\n\r\n');
    await closed;
    expect(Buffer.concat(pieces).toString().split('HTTP/1.1 200').length - 1).toBe(1);
  });
});

describe('a WebSocket', () => {
  const attempt = (headers: Record<string, string>): Promise<string> =>
    new Promise((resolve) => {
      const socket = new WebSocket(`ws://127.0.0.1:${listening.port}/join`, { headers });
      socket.on('open', () => {
        socket.terminate();
        resolve('open');
      });
      socket.on('error', (error) => resolve(error.message));
    });

  it('of a page of this server, or of a program without origin, is accepted', async () => {
    const own = `127.0.0.1:${listening.port}`;
    expect(await attempt({ origin: `http://${own}` })).toBe('open');
    expect(await attempt({})).toBe('open');
    expect(await attempt({ host: 'anything.example' })).toBe('open');
  });

  it.each([
    ['another server', { origin: 'https://example.com' }],
    ['another port', { origin: 'http://127.0.0.1:1' }],
    ['no server', { origin: 'null' }],
    ['a name that was pointed here', { origin: 'http://example.com:7700', host: 'example.com:7700' }],
  ])('of a page of %s is refused', async (_, headers) => {
    expect(await attempt(headers as Record<string, string>)).toBe('Unexpected server response: 403');
  });
});
