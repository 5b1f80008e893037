import type { Socket } from 'node:net';
import { WebSocket } from 'ws';

/** A connection that has become a WebSocket. */
export interface Connection {
  readonly socket: Socket;
  /** The first bytes of the WebSocket, which came together with the handshake. */
  readonly head: Buffer;
}

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
  connection: Connection | undefined;

  /** Called by ws when both sides have agreed; what it would do here is to take the connection into use. */
  setSocket(socket: Socket, head: Buffer): void {
    this.connection = { socket, head };
    this.emit('open');
  }
}
