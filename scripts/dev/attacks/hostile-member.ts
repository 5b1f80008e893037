import { WebSocket } from 'ws';
import { EXPECTED_HASHES } from '../../../shared/kernels/self-test/self-test-hashes.js';
import { encodeHead, FrameReader } from '../../../shared/link/frame.js';
import { SpareBuffers } from '../../../shared/link/spare-buffers.js';
import { connectUrl, parseJoinUrl } from '../../../shared/protocol/join-url.js';
import {
  type Challenge,
  type CoordinatorToWorker,
  PROTOCOL_VERSION,
  type SelfTestResult,
  type WorkerToCoordinator,
} from '../../../shared/protocol/messages.js';
import { workerProof } from '../../../shared/protocol/proof.js';

const NONCE = 'n'.repeat(22);
const SELF_TEST: readonly SelfTestResult[] = Object.entries(EXPECTED_HASHES).map(([kernel, hash]) => ({
  kernel,
  hash,
}));

/** A peer that knows the token of a run and does with it what an attack wants. */
export class HostileMember {
  /** Resolves when the connection is closed. */
  readonly closed: Promise<void>;
  readonly socket: WebSocket;

  /**
   * Connects, and proves that it knows the token.
   * @param onMessage takes what the coordinator sends, from `run` on
   */
  constructor(
    url: string,
    readonly name: string,
    private readonly onMessage: (message: CoordinatorToWorker, member: HostileMember) => void,
  ) {
    const address = parseJoinUrl(url);
    // It does not care who the coordinator is.
    this.socket = new WebSocket(connectUrl(address), { perMessageDeflate: false, rejectUnauthorized: false });
    this.socket.on('error', () => {});
    this.socket.on('message', (bytes: Buffer) => {
      const frames = new FrameReader(new SpareBuffers());
      frames.span(bytes.length, true);
      frames.data(bytes);
      const message = frames.end().message as CoordinatorToWorker;
      if (message.kind === 'challenge') this.authenticate(message, address.token);
      else this.onMessage(message, this);
    });
    this.closed = new Promise((resolve) => this.socket.on('close', () => resolve()));
  }

  /** Sends a message, if the connection is open. */
  say(message: WorkerToCoordinator, payload = new Uint8Array(0)): void {
    if (this.socket.readyState !== WebSocket.OPEN) return;
    this.socket.send(Buffer.concat([encodeHead(message, payload.length), payload]));
  }

  /** Closes the connection at once. */
  leave(): void {
    this.socket.terminate();
  }

  private authenticate({ run, nonce }: Challenge, token: string): void {
    this.say({
      ...{ kind: 'hello', version: PROTOCOL_VERSION, nonce: NONCE, name: this.name, threads: 1 },
      ...{ backend: 'wasm', detail: 'simd', selfTest: SELF_TEST },
      proof: workerProof(token, { run, coordinatorNonce: nonce, workerNonce: NONCE }),
    });
  }
}
