import type { Socket } from 'node:net';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { WebSocket } from 'ws';
import { encodeHead } from '../../shared/link/frame.js';
import { NOT_READING } from '../../shared/link/link.js';
import { FRAMES_MAX } from '../../shared/link/web-socket-frames.js';
import { connectUrl, WATCH_PATH } from '../../shared/protocol/join-url.js';
import { record } from './recorder.js';
import { startServer, type TestServer } from './web-socket-pair.js';

/* Real connections whose peer does not read. test/suites/link-suite.ts tests that the link to a worker is closed too. */
describe('a peer that does not read', () => {
  let testServer: TestServer;
  beforeEach(async () => {
    testServer = await startServer();
  });
  afterEach(() => testServer.dispose());

  async function nonReader(path?: string) {
    const webSocket = new WebSocket(connectUrl(testServer.address, path));
    webSocket.on('error', () => {});
    const socket = new Promise<Socket>((resolve) =>
      webSocket.once('upgrade', (answer) => resolve(answer.socket)),
    );
    const opened = new Promise((resolve) => webSocket.once('open', resolve));
    const link = await testServer.accepted();
    await opened;
    (await socket).pause();
    link.admit();
    return { webSocket, link, atServer: record(link) };
  }

  it('and watches is disconnected after far fewer bytes than a worker', async () => {
    const { link, atServer } = await nonReader(WATCH_PATH);
    // The system buffers a few megabytes.
    for (let sent = 0; sent < 200; sent++) link.send({ kind: 'progress', text: 'x'.repeat(100_000) });
    await atServer.closed$;
    expect(atServer.reasons).toEqual([NOT_READING]);
  });

  it('is not answered when it pings', async () => {
    const { webSocket, link, atServer } = await nonReader();
    const payload = new Uint8Array(125);
    const messages = 4000;
    // As many between two messages as are allowed.
    for (let sent = 0; sent < messages; sent++) {
      for (let frames = 1; frames < FRAMES_MAX; frames++) webSocket.ping(payload);
      webSocket.send(encodeHead({ kind: 'x' }, 0));
    }
    await atServer.arrived(messages);
    expect(link.bufferedBytes).toBeLessThan(2 ** 17);
    webSocket.terminate();
  });
});
