import type { Socket } from 'node:net';
import { WebSocket } from 'ws';
import { type BufferedSocket, bufferSocket } from './buffered-socket.js';

/** Options of the handshake, on both sides. */
export const HANDSHAKE_OPTIONS = {
  // Gradients do not compress, and a compressed frame can unfold into far more than was sent.
  perMessageDeflate: false,
} as const;

/**
 * A WebSocket of ws that hands its connection over when the handshake (RFC 6455, section 4) is done, and is of no
 * further use: it is 'open' then, and never reads or writes.
 */
export class Handshake extends WebSocket {
  /** The connection, once it has become a WebSocket. */
  connection: BufferedSocket | undefined;

  /** Called by ws when both sides have agreed; what it would do here is to take the connection into use. */
  setSocket(socket: Socket, head: Buffer): void {
    this.connection = bufferSocket(socket, head);
    this.emit('open');
  }
}
