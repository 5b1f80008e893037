import { Socket, type SocketConstructorOpts } from 'node:net';

/**
 * Most bytes of one read. Few enough to stay in a core's cache until they are copied, many enough that a vector of some
 * megabytes takes a dozen reads.
 */
const READ_BYTES = 256 * 2 ** 10;

/** What node:net reads and writes with; how is its own affair. */
interface Handle {
  useUserBuffer?: unknown;
  onread: () => void;
}

/** A connection whose handshake is over, paused until `read`. */
export interface BufferedSocket {
  readonly socket: Socket;
  /** Begins to read. `onBytes` is lent the bytes until it returns. To be called once. */
  read(onBytes: (bytes: Uint8Array) => void): void;
}

/** Where all connections of this thread read into: each read is looked at before the next one. */
let readBuffer: Uint8Array | undefined;

/**
 * Reads a connection into the same memory, over and over.
 *
 * Left alone, node:net takes fresh memory for every 64 KiB, and the garbage collector, which counts those bytes, goes
 * through the whole heap every few vectors: it took more of a step over two remote workers than their arithmetic. A
 * remedy (`onread`) is given only to sockets that are new, and this one has spoken HTTP already: so a new one takes over
 * its handle, the way node:child_process hands a socket on. An encrypted connection has no such handle and stays as it is.
 *
 * @param head bytes that were read too far
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
  let take = (_bytes: Uint8Array): void => {};
  handle.onread = () => {};
  (socket as { _handle?: Handle | null })._handle = null;
  socket.setTimeout(0);
  const onread = {
    buffer: readBuffer,
    callback: (bytes: number, buffer: Uint8Array): boolean => {
      take(buffer.subarray(0, bytes));
      return true;
    },
  };
  const options = { handle, onread, pauseOnCreate: true, allowHalfOpen: socket.allowHalfOpen };
  const heir = new Socket(options as SocketConstructorOpts);
  // The server counts its connections by the sockets that it has made.
  heir.once('close', () => socket.destroy());
  const read = (onBytes: (bytes: Uint8Array) => void): void => {
    take = onBytes;
    if (early !== null) onBytes(early);
    heir.resume();
  };
  return { socket: heir, read };
}
