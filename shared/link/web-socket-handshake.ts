import type { Socket } from 'node:net';
import { WebSocket } from 'ws';
import { type BufferedSocket, bufferSocket } from './buffered-socket.js';

/** Options of the handshake, on both sides. */
export const HANDSHAKE_OPTIONS = {
  // Gradients do not compress, and a small compressed frame can expand to a very large one.
  perMessageDeflate: false,
} as const;

/**
 * A WebSocket of ws that performs only the handshake (RFC 6455, section 4). It then emits 'open', and its connection can
 * be taken; it never reads or writes frames.
 */
export class Handshake extends WebSocket {
  /** The connection after the handshake. */
  connection: BufferedSocket | undefined;

  /** Called by ws after the handshake. The method of ws, which this one replaces, would start to read frames. */
  setSocket(socket: Socket, head: Buffer): void {
    this.connection = bufferSocket(socket, head);
    this.emit('open');
  }
}
