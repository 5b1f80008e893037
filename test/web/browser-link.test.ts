import { beforeAll } from 'vitest';
import { WebSocket as NodeWebSocket } from 'ws';
import { systemClock } from '../../shared/actor/clock.js';
import { BUFFERED_BYTES_MAX } from '../../shared/link/link.js';
import { connectUrl } from '../../shared/protocol/join-url.js';
import { connectBrowserLink } from '../../web/link/browser-link.js';
import { startServer } from '../link/web-socket-pair.js';
import { linkSuite } from '../suites/link-suite.js';

// Node 20 has no WebSocket of its own. The class of ws has the same interface.
beforeAll(() => {
  globalThis.WebSocket = NodeWebSocket as unknown as typeof WebSocket;
});

for (const [name, turn] of [
  ['browser first', 0],
  ['server first', 1],
] as const) {
  linkSuite(`browser link, ${name}`, async () => {
    const testServer = await startServer();
    const [client, server] = await Promise.all([
      connectBrowserLink(connectUrl(testServer.address), systemClock),
      testServer.accepted(),
    ]);
    client.admit();
    server.admit();
    return {
      ends: turn === 0 ? [client, server] : [server, client],
      bufferedBytesMax: BUFFERED_BYTES_MAX,
      sendsUnread: turn === 0,
      readsUnopened: turn === 1,
      dispose: testServer.dispose,
    };
  });
}
