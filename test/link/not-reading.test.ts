import type { Socket } from 'node:net';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { WebSocket } from 'ws';
import { encodeHead } from '../../shared/link/frame.js';
import { NOT_READING } from '../../shared/link/link.js';
import { connectUrl, WATCH_PATH } from '../../shared/protocol/join-url.js';
import { record } from './recorder.js';
import { type Host, startHost } from './web-socket-pair.js';

/* Real connections whose other end takes nothing in. That a worker's is dropped too is in the suite of all links. */
describe('a peer that does not read', () => {
  let host: Host;
  beforeEach(async () => {
    host = await startHost();
  });
  afterEach(() => host.dispose());

  async function deaf(path?: string) {
    const webSocket = new WebSocket(connectUrl(host.address, path));
    webSocket.on('error', () => {});
    const socket = new Promise<Socket>((resolve) =>
      webSocket.once('upgrade', (answer) => resolve(answer.socket)),
    );
    const opened = new Promise((resolve) => webSocket.once('open', resolve));
    const link = await host.accepted();
    await opened;
    (await socket).pause();
    link.admit();
    return { webSocket, link, atServer: record(link) };
  }

  it('and watches is dropped, after far less than a worker may be behind with', async () => {
    const { link, atServer } = await deaf(WATCH_PATH);
    // The system takes in a few megabytes by itself.
    for (let sent = 0; sent < 200; sent++) link.send({ kind: 'progress', text: 'x'.repeat(100_000) });
    await atServer.closed$;
    expect(atServer.reasons).toEqual([NOT_READING]);
  });

  it('is not answered when it pings', async () => {
    const { webSocket, link, atServer } = await deaf();
    const payload = new Uint8Array(125);
    for (let messages = 0; messages < 40; messages++) {
      for (let pings = 0; pings < 5000; pings++) webSocket.ping(payload);
      webSocket.send(encodeHead({ kind: 'x' }, 0));
    }
    await atServer.arrived(40);
    expect(link.bufferedBytes).toBeLessThan(2 ** 17);
    webSocket.terminate();
  });
});
