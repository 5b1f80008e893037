import type { IncomingMessage } from 'node:http';
import type { Socket } from 'node:net';
import { WebSocketServer } from 'ws';
import type { Clock } from '../actor/clock.js';
import { JOIN_PATH, WATCH_PATH } from '../protocol/join-url.js';
import { browserRefusal, ownPath } from './browser-requests.js';
import type { BufferedSocket } from './buffered-socket.js';
import { PIECES_PROTOCOL } from './frame-pieces.js';
import type { Link } from './link.js';
import type { Listening } from './listen.js';
import { isThisMachine, MemoryLink } from './memory-link.js';
import { SpareBuffers } from './spare-buffers.js';
import { WebSocketLink } from './web-socket.js';
import { HANDSHAKE_OPTIONS, Handshake } from './web-socket-handshake.js';

/** Bytes that a peer may send before it has authenticated. A hello takes some thousand. */
export const UNAUTHENTICATED_BYTES_MAX = 64 * 2 ** 10;

/** Bytes that may wait for a watcher: a history and some hundred messages. */
const WATCHER_BUFFERED_BYTES_MAX = 2 ** 20;

/**
 * Accepts workers at JOIN_PATH of an HTTP server, and watchers at WATCH_PATH. Every other upgrade request is rejected.
 *
 * A peer counts as unauthenticated until `Link.admit` is called. The caller limits how long that may take.
 * @param listenHost the host that the server was told to listen on; pages of other servers may not connect
 * @param publicUrl see browserRefusal
 * @param onLink takes each new link; `watches`: the peer connected to WATCH_PATH
 */
export function acceptWebSockets(
  {
    server,
    unauthenticatedPeers,
    addressOf,
  }: Pick<Listening, 'server' | 'unauthenticatedPeers' | 'addressOf'>,
  {
    clock,
    listenHost,
    publicUrl,
  }: { readonly clock: Clock; readonly listenHost: string; readonly publicUrl?: string | undefined },
  onLink: (link: Link, watches: boolean) => void,
): void {
  const options = {
    ...{ ...HANDSHAKE_OPTIONS, noServer: true, clientTracking: false },
    handleProtocols: (offered: Set<string>) => (offered.has(PIECES_PROTOCOL) ? PIECES_PROTOCOL : false),
  } as const;
  const upgrader = new WebSocketServer({ ...options, WebSocket: Handshake });
  const spares = new SpareBuffers();
  server.on('upgrade', (request: IncomingMessage, socket: Socket, head: Buffer) => {
    const path = ownPath(request.url ?? '', publicUrl);
    const watches = path === WATCH_PATH;
    if (path !== JOIN_PATH && !watches) return reject(socket, '404 Not Found');
    // Only browsers say where the page comes from that connects.
    const isBrowser = request.headers.origin !== undefined;
    if (isBrowser && browserRefusal(request.headers, listenHost, publicUrl) !== undefined)
      return reject(socket, '403 Forbidden');
    upgrader.handleUpgrade(request, socket, head, (handshake) => {
      const connection = handshake.connection as BufferedSocket;
      // Those of browsers.
      const isPiecewise = handshake.protocol === PIECES_PROTOCOL;
      const link = new WebSocketLink({
        ...{ connection, clock, spares, side: 'server', peer: `${addressOf(request)}:${socket.remotePort}` },
        inPieces: isPiecewise,
        unauthenticatedBytesMax: UNAUTHENTICATED_BYTES_MAX,
        ...(watches && { bufferedBytesMax: WATCHER_BUFFERED_BYTES_MAX }),
        onAdmit: () => unauthenticatedPeers.remove(connection.socket),
      });
      unauthenticatedPeers.setClose(connection.socket, () =>
        link.break('closed in favour of a newer connection'),
      );
      const peerPort = isThisMachine(socket.remoteAddress) ? socket.remotePort : undefined;
      onLink(watches || isPiecewise ? link : new MemoryLink(link, { side: 'server', peerPort }), watches);
    });
  });
}

function reject(socket: Socket, status: string): void {
  socket.on('error', () => socket.destroy());
  // Otherwise a peer that does not close the connection would keep it.
  socket.once('finish', () => socket.destroy());
  socket.end(`HTTP/1.1 ${status}\r\nConnection: close\r\nContent-Length: 0\r\n\r\n`);
}
