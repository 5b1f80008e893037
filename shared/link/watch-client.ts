import type { Clock } from '../actor/clock.js';
import { randomIdentifier } from '../actor/rng.js';
import { messageOf, UserError } from '../errors.js';
import { ProtocolError } from '../protocol/checked.js';
import { PROTOCOL_VERSION } from '../protocol/messages.js';
import { coordinatorProof, type Handshake, proofsEqual, workerProof } from '../protocol/proof.js';
import {
  type Controlled,
  type ControlRequest,
  type CoordinatorToWatcher,
  type News,
  parseForWatcher,
  type WatchRight,
} from '../protocol/watch-messages.js';
import type { Link } from './link.js';
import { retryDelayMs } from './retry.js';

/** Limits on what a coordinator may send to a watch client: messages without payload, of which a history is the longest. */
const BOUNDS = { headerBytesMax: 2 ** 20, payloadBytesMax: () => 0 };

/** What a watch client needs. */
export interface WatchClientParts {
  /** Permits watching the run. */
  readonly token: string;
  /** The coordinator, for people: host and port. */
  readonly peer: string;
  /** Connects to the path for watchers. Throws an Error with a one-line message; a UserError when a further attempt is useless. */
  readonly connect: () => Promise<Link>;
  readonly clock: Clock;
  readonly onNews: (news: News) => void;
  readonly onNotice: (text: string) => void;
  /** A connection is admitted, also after a reconnection. `ask`: sends what an operator asks for. */
  readonly onAdmitted?: (right: WatchRight, ask: (request: ControlRequest) => void) => void;
  /** What became of what was asked for. */
  readonly onControlled?: (answer: Controlled) => void;
  /** Aborted to stop watching. */
  readonly stop: AbortSignal;
}

/** How one connection ended: the run is over, watching was refused, or the connection was lost and may be restored. */
type Outcome =
  | { readonly kind: 'over'; readonly reason: string }
  | { readonly kind: 'refused'; readonly reason: string }
  | { readonly kind: 'lost'; readonly reason: string };

/**
 * Watches a run until it ends or `stop` is aborted. When the coordinator is lost, reconnects for about a minute.
 * @throws UserError when watching is refused, or the run has ended without a result
 */
export async function watchRun(parts: WatchClientParts): Promise<void> {
  let failures = 0;
  let hasEnded = false;
  const onNews = (news: News): void => {
    failures = 0;
    hasEnded ||= news.kind === 'ended';
    parts.onNews(news);
  };
  const isDone = (): boolean => parts.stop.aborted || hasEnded;
  while (!isDone()) {
    const { kind, reason } = await watchOnce({ ...parts, onNews });
    if (isDone()) return;
    if (kind !== 'lost') throw new UserError(`${parts.peer}: ${reason}`);
    const delayMs = retryDelayMs(++failures);
    if (delayMs === undefined) throw new UserError(`no coordinator after ${failures} attempts (${reason})`);
    parts.onNotice(`no coordinator (${reason}); trying again in ${delayMs / 1000} s`);
    await pause(parts, delayMs);
  }
}

/** One connection from start to end. */
async function watchOnce(parts: WatchClientParts): Promise<Outcome> {
  const { connect, stop } = parts;
  try {
    const link = await connect();
    return await new Promise((resolve) => {
      const session = new WatchSession(link, parts, resolve);
      const leave = (): void => link.close('watching was stopped');
      stop.addEventListener('abort', leave);
      if (stop.aborted) leave();
      link.open({
        message: ({ message }) => session.receive(message),
        closed: (reason) => {
          stop.removeEventListener('abort', leave);
          resolve({ kind: 'lost', reason });
        },
      });
    });
  } catch (error) {
    if (error instanceof UserError) throw error;
    return { kind: 'lost', reason: messageOf(error) };
  }
}

/** The messages of one connection: handshake, then news. */
class WatchSession {
  private handshake: Handshake | undefined;
  private isAdmitted = false;
  private requests = 0;

  constructor(
    private readonly link: Link,
    private readonly parts: WatchClientParts,
    private readonly settle: (outcome: Outcome) => void,
  ) {}

  receive(raw: unknown): void {
    try {
      this.handle(parseForWatcher(raw));
    } catch (error) {
      if (!(error instanceof ProtocolError)) throw error;
      this.end('refused', error.message);
    }
  }

  private handle(message: CoordinatorToWatcher): void {
    const { token } = this.parts;
    switch (message.kind) {
      case 'challenge': {
        if (this.handshake !== undefined) return this.outOfTurn(message.kind);
        const nonce = randomIdentifier();
        const { run, nonce: coordinatorNonce } = message;
        this.handshake = { run, coordinatorNonce, workerNonce: nonce };
        const proof = workerProof(token, this.handshake);
        return this.link.send({ kind: 'watch', version: PROTOCOL_VERSION, nonce, proof });
      }
      case 'watching': {
        if (this.handshake === undefined || this.isAdmitted) return this.outOfTurn(message.kind);
        const expected = coordinatorProof(token, this.handshake);
        if (!proofsEqual(expected, message.proof))
          return this.end('refused', 'the coordinator does not know the token: check the line');
        this.isAdmitted = true;
        this.parts.onNotice(`watching the run at ${this.parts.peer}`);
        this.link.admit(BOUNDS);
        return this.parts.onAdmitted?.(message.right, (request) => this.ask(request));
      }
      case 'progress':
      case 'metrics':
      case 'placement':
      case 'ended':
      case 'event':
      case 'state':
      case 'examples':
      case 'text':
      case 'layers':
      case 'members':
      case 'history':
        return this.isAdmitted ? this.parts.onNews(message) : this.outOfTurn(message.kind);
      case 'controlled':
        return this.isAdmitted ? this.parts.onControlled?.(message) : this.outOfTurn(message.kind);
      case 'ping':
        return this.link.send({ kind: 'pong', id: message.id });
      case 'refuse':
        return this.end('refused', message.reason);
      case 'stop':
        return this.end('over', message.reason);
      default:
        message satisfies never;
    }
  }

  private ask(request: ControlRequest): void {
    this.requests += 1;
    this.link.send({ kind: 'control', id: this.requests, ...request });
  }

  private outOfTurn(kind: string): void {
    this.end('refused', `the coordinator sent "${kind}" out of turn`);
  }

  private end(kind: Outcome['kind'], reason: string): void {
    this.settle({ kind, reason });
    this.link.close(reason);
  }
}

/** Waits, or until watching is stopped. */
function pause({ clock, stop }: WatchClientParts, delayMs: number): Promise<void> {
  return new Promise((resolve) => {
    const done = (): void => {
      cancel();
      stop.removeEventListener('abort', done);
      resolve();
    };
    const cancel = clock.after(delayMs, done);
    stop.addEventListener('abort', done);
  });
}
