import { Socket, type SocketConstructorOpts } from 'node:net';

/** Most bytes of one read, unless its bytes have a place of their own: few, so that most of a vector is read into its place. */
const READ_BYTES = 16 * 2 ** 10;

/** The internal object that node:net reads and writes with. */
interface Handle {
  useUserBuffer?: unknown;
  onread: () => void;
}

/** A connection whose WebSocket handshake is done, paused until `read`. */
export interface BufferedSocket {
  readonly socket: Socket;
  /**
   * Starts to read. The bytes are valid until `onBytes` returns. To be called once.
   * @param room where the next bytes are read to; undefined: anywhere
   */
  read(onBytes: (bytes: Uint8Array) => void, room: () => Uint8Array | undefined): void;
}

/** The buffer of all connections of this thread: each read is processed before the next one. */
let readBuffer: Uint8Array | undefined;

/**
 * Reads a connection into one buffer that is reused for every read.
 *
 * By default node:net allocates memory for every 64 KiB. The garbage collector counts those bytes and scans the whole heap
 * every few vectors: it took more of a step with two remote workers than their arithmetic. node:net has an option for a
 * fixed buffer (`onread`), but only for new sockets, and this one has already spoken HTTP. So a new socket takes over its
 * handle, as node:child_process does to pass a socket on. An encrypted connection has no such handle and stays as it is.
 *
 * @param head bytes of the WebSocket that were read with the handshake
 */
export function bufferSocket(socket: Socket, head: Uint8Array): BufferedSocket {
  socket.pause();
  if (head.length > 0) socket.unshift(head);
  const { _handle: handle } = socket as { _handle?: Handle | null };
  if (socket.constructor !== Socket || typeof handle?.useUserBuffer !== 'function')
    return { socket, read: (onBytes) => socket.on('data', onBytes).resume() };
  const early = socket.read() as Uint8Array | null;
  return takeOver(socket, handle, early);
}

function takeOver(socket: Socket, handle: Handle, early: Uint8Array | null): BufferedSocket {
  readBuffer ??= new Uint8Array(READ_BYTES);
  const buffer = readBuffer;
  let take = (_bytes: Uint8Array): void => {};
  let place = (): Uint8Array | undefined => undefined;
  handle.onread = () => {};
  (socket as { _handle?: Handle | null })._handle = null;
  socket.setTimeout(0);
  const onread = {
    buffer: () => place() ?? buffer,
    callback: (bytes: number, buffer: Uint8Array): boolean => {
      take(buffer.subarray(0, bytes));
      return true;
    },
  };
  const options = { handle, onread, pauseOnCreate: true, allowHalfOpen: socket.allowHalfOpen };
  const successor = new Socket(options as SocketConstructorOpts);
  // The server counts its connections by the sockets that it has created.
  successor.once('close', () => socket.destroy());
  const read = (onBytes: (bytes: Uint8Array) => void, room: () => Uint8Array | undefined): void => {
    take = onBytes;
    place = room;
    if (early !== null) onBytes(early);
    successor.resume();
  };
  return { socket: successor, read };
}
