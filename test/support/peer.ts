import { connect, type Socket } from 'node:net';
import { WebSocket } from 'ws';
import { encodeHead, FrameReader } from '../../shared/link/frame.js';
import { SpareBuffers } from '../../shared/link/spare-buffers.js';
import { JOIN_PATH, parseJoinUrl } from '../../shared/protocol/join-url.js';
import { type Challenge, PROTOCOL_VERSION } from '../../shared/protocol/messages.js';
import { watchToken, workerProof } from '../../shared/protocol/proof.js';
import { RIGHT_HASHES } from '../coordinator/settings.js';

const NONCE = 'n'.repeat(22);
/** Peers so far. Each has a name of its own: one machine that joins and leaves again and again has to wait. */
let peers = 0;

/** How a connection ended. */
interface PeerEnd {
  readonly code: number;
  readonly reason: string;
}

/** A client of a run that sends what the test tells it to send. */
export class Peer {
  readonly ended: Promise<PeerEnd>;
  private readonly number = ++peers;
  private readonly waiting: { kind: string; resolve: (message: object) => void }[] = [];
  private readonly heard: { readonly kind: string }[] = [];

  private constructor(
    private readonly url: string,
    readonly socket: WebSocket,
  ) {
    socket.on('error', () => {});
    socket.on('message', (bytes: Buffer) => this.hear(bytes));
    this.ended = new Promise((resolve) => {
      socket.on('close', (code, reason) => resolve({ code, reason: reason.toString() }));
    });
  }

  /** Connects, to join or to watch. @param from the local address of the connection */
  static connect(
    url: string,
    { from, deflate = false, path = JOIN_PATH }: { from?: string; deflate?: boolean; path?: string } = {},
  ): Peer {
    const { host, port } = parseJoinUrl(url);
    const options = { perMessageDeflate: deflate, ...(from !== undefined && { localAddress: from }) };
    return new Peer(url, new WebSocket(`ws://${host}:${port}${path}`, options));
  }

  /**
   * Resolves with a message of this kind, also with one that arrived before.
   * @throws Error if the connection is closed first
   */
  hears<T extends object>(kind: string): Promise<T> {
    const known = this.heard.find((message) => message.kind === kind);
    if (known !== undefined) return Promise.resolve(known as unknown as T);
    return new Promise((resolve, reject) => {
      this.waiting.push({ kind, resolve: (message) => resolve(message as T) });
      void this.ended.then(({ code, reason }) => {
        reject(new Error(`closed (${code} ${reason}) before it heard "${kind}"`));
      });
    });
  }

  /** Sends a message with a payload. */
  say(message: object, payload = new Uint8Array(0)): void {
    this.socket.send(Buffer.concat([encodeHead(message, payload.length), payload]));
  }

  /** The right answer to this run's challenge. */
  async hello(changes: object = {}): Promise<object> {
    const { run, nonce } = await this.hears<Challenge>('challenge');
    const handshake = { run, coordinatorNonce: nonce, workerNonce: NONCE };
    return {
      ...{
        kind: 'hello',
        version: PROTOCOL_VERSION,
        nonce: NONCE,
        name: `mallory-${this.number}`,
        threads: 1,
      },
      ...{ backend: 'wasm', detail: 'simd', selfTest: RIGHT_HASHES },
      proof: workerProof(parseJoinUrl(this.url).token, handshake),
      ...changes,
    };
  }

  /** Becomes a watcher. */
  async watches(): Promise<this> {
    const { run, nonce } = await this.hears<Challenge>('challenge');
    const handshake = { run, coordinatorNonce: nonce, workerNonce: NONCE };
    const proof = workerProof(watchToken(parseJoinUrl(this.url).token), handshake);
    this.say({ kind: 'watch', version: PROTOCOL_VERSION, nonce: NONCE, proof });
    await this.hears('watching');
    return this;
  }

  /** Becomes a member. */
  async joins(): Promise<this> {
    this.say(await this.hello());
    await this.hears('run');
    return this;
  }

  private hear(bytes: Buffer): void {
    const frames = new FrameReader(new SpareBuffers());
    frames.span(bytes.length, true);
    frames.data(bytes);
    const message = frames.end().message as { kind: string };
    // Keeps one message of each kind, so that pings do not accumulate.
    if (!this.heard.some(({ kind }) => kind === message.kind)) this.heard.push(message);
    for (const { kind, resolve } of this.waiting) if (kind === message.kind) resolve(message);
  }
}

/** Sends bytes over a plain TCP connection. `answer` resolves with what came back when the connection is closed. */
export function sayOverTcp(
  address: { host: string; port: number; localAddress?: string },
  bytes: Uint8Array | string,
): { socket: Socket; answer: Promise<string> } {
  const socket = connect(address, () => socket.write(bytes));
  let text = '';
  socket.setEncoding('latin1').on('data', (more: string) => {
    text += more;
  });
  socket.on('error', () => {});
  return { socket, answer: new Promise((resolve) => socket.on('close', () => resolve(text))) };
}
