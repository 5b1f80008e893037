import { BUFFERED_BYTES_MAX } from '../../shared/link/link.js';
import { linkSuite } from '../suites/link-suite.js';
import { connectedPair, startHost } from './web-socket-pair.js';

linkSuite('web socket, client first', async () => {
  const host = await startHost();
  return { ends: await connectedPair(host), bufferedBytesMax: BUFFERED_BYTES_MAX, dispose: host.dispose };
});

linkSuite('web socket, server first', async () => {
  const host = await startHost();
  const [client, server] = await connectedPair(host);
  return { ends: [server, client], bufferedBytesMax: BUFFERED_BYTES_MAX, dispose: host.dispose };
});
