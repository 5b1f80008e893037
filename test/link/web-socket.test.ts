import { BUFFERED_BYTES_MAX } from '../../shared/link/link.js';
import { linkSuite } from '../suites/link-suite.js';
import { connectedPair, startServer } from './web-socket-pair.js';

linkSuite('web socket, client first', async () => {
  const testServer = await startServer();
  return {
    ends: await connectedPair(testServer),
    bufferedBytesMax: BUFFERED_BYTES_MAX,
    dispose: testServer.dispose,
  };
});

linkSuite('web socket, server first', async () => {
  const testServer = await startServer();
  const [client, server] = await connectedPair(testServer);
  return { ends: [server, client], bufferedBytesMax: BUFFERED_BYTES_MAX, dispose: testServer.dispose };
});
