import type { IncomingMessage } from 'node:http';
import type { Socket } from 'node:net';
import { WebSocketServer } from 'ws';
import type { Clock } from '../actor/clock.js';
import { JOIN_PATH, WATCH_PATH } from '../protocol/join-url.js';
import type { BufferedSocket } from './buffered-socket.js';
import type { Link } from './link.js';
import type { Listening } from './listen.js';
import { SpareBuffers } from './spare-buffers.js';
import { WebSocketLink } from './web-socket.js';
import { HANDSHAKE_OPTIONS, Handshake } from './web-socket-handshake.js';

/** Bytes that a peer may send before it has proven the token. A hello takes some thousand. */
export const STRANGER_BYTES_MAX = 64 * 2 ** 10;

/** Bytes that may wait for someone who watches: some hundred messages. */
const WATCHER_BUFFERED_BYTES_MAX = 64 * 2 ** 10;

/**
 * Accepts workers on an HTTP server, at JOIN_PATH, and who watches, at WATCH_PATH; every other request to upgrade is turned away.
 *
 * A peer counts as a stranger until `Link.admit` is called for it. How long it may stay one is not decided here.
 * @param onLink takes each new link over; `watches`: it came by WATCH_PATH
 */
export function acceptWebSockets(
  { server, strangers }: Pick<Listening, 'server' | 'strangers'>,
  clock: Clock,
  onLink: (link: Link, watches: boolean) => void,
): void {
  const options = { ...HANDSHAKE_OPTIONS, noServer: true, clientTracking: false };
  const upgrader = new WebSocketServer({ ...options, WebSocket: Handshake });
  const spares = new SpareBuffers();
  server.on('upgrade', (request: IncomingMessage, socket: Socket, head: Buffer) => {
    const watches = request.url === WATCH_PATH;
    if (request.url !== JOIN_PATH && !watches) return turnAway(socket, '404 Not Found');
    upgrader.handleUpgrade(request, socket, head, (handshake) => {
      const connection = handshake.connection as BufferedSocket;
      const link = new WebSocketLink({
        ...{ connection, clock, spares, side: 'server', peer: peerName(connection.socket) },
        strangerBytesMax: STRANGER_BYTES_MAX,
        ...(watches && { bufferedBytesMax: WATCHER_BUFFERED_BYTES_MAX }),
        onAdmit: () => strangers.forget(connection.socket),
      });
      strangers.handOver(connection.socket, () => link.break('others came and took its place'));
      onLink(link, watches);
    });
  });
}

function turnAway(socket: Socket, status: string): void {
  socket.on('error', () => socket.destroy());
  // Else a peer that does not hang up would keep the connection.
  socket.once('finish', () => socket.destroy());
  socket.end(`HTTP/1.1 ${status}\r\nConnection: close\r\nContent-Length: 0\r\n\r\n`);
}

/** Address and port of a peer; an IPv4 address that came in over an IPv6 socket is shown as what it is. */
function peerName({ remoteAddress = 'unknown', remotePort }: Socket): string {
  return `${remoteAddress.replace(/^::ffff:/, '')}:${remotePort}`;
}
