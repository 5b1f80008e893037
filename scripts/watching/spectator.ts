import type { Clock } from '../../shared/actor/clock.js';
import { randomIdentifier } from '../../shared/actor/rng.js';
import { UserError } from '../../shared/errors.js';
import type { Link } from '../../shared/link/link.js';
import { retryDelayMs } from '../../shared/link/retry.js';
import { connectWebSocket } from '../../shared/link/web-socket-client.js';
import { hostAndPort, type JoinAddress, WATCH_PATH } from '../../shared/protocol/join-url.js';
import { ProtocolError } from '../../shared/protocol/parse.js';
import { coordinatorProof, type Handshake, nodeProof, proofsEqual } from '../../shared/protocol/proof.js';
import { PROTOCOL_VERSION } from '../../shared/protocol/version.js';
import {
  type CoordinatorToWatcher,
  type News,
  parseForWatcher,
} from '../../shared/protocol/watch-messages.js';

/** What a coordinator may send to one who watches: words alone. */
const BOUNDS = { headerBytesMax: 64 * 2 ** 10, payloadBytesMax: () => 0 };

/** What watching takes. */
export interface SpectatorParts {
  /** With the token to watch. */
  readonly address: JoinAddress;
  readonly clock: Clock;
  readonly onNews: (news: News) => void;
  readonly onNotice: (text: string) => void;
  /** Aborted when its user has seen enough. */
  readonly enough: AbortSignal;
}

/** How one connection ended: the run is over, it cannot be watched, or (`lost`) it may be there again later. */
type Outcome =
  | { readonly kind: 'over'; readonly reason: string }
  | { readonly kind: 'refused'; readonly reason: string }
  | { readonly kind: 'lost'; readonly reason: string };

/**
 * Watches a run to its end, or until its user has seen enough; a coordinator that is gone is looked for again, for about
 * a minute.
 * @throws UserError when it cannot be watched, or has ended without a result
 */
export async function watchRun(parts: SpectatorParts): Promise<void> {
  let failures = 0;
  let hasEnded = false;
  const onNews = (news: News): void => {
    failures = 0;
    hasEnded = news.kind === 'ended';
    parts.onNews(news);
  };
  const isDone = (): boolean => parts.enough.aborted || hasEnded;
  while (!isDone()) {
    const { kind, reason } = await attend({ ...parts, onNews });
    if (isDone()) return;
    if (kind !== 'lost') throw new UserError(`${hostAndPort(parts.address)}: ${reason}`);
    const delayMs = retryDelayMs(++failures);
    if (delayMs === undefined) throw new UserError(`no coordinator after ${failures} attempts (${reason})`);
    parts.onNotice(`no coordinator (${reason}); trying again in ${delayMs / 1000} s`);
    await pause(parts, delayMs);
  }
}

/** One connection, from its beginning to its end. */
async function attend(parts: SpectatorParts): Promise<Outcome> {
  const { address, clock, enough } = parts;
  try {
    const link = await connectWebSocket(address, clock, WATCH_PATH);
    return await new Promise((resolve) => {
      const dialogue = new Dialogue(link, parts, resolve);
      const leave = (): void => link.close('it has seen enough');
      enough.addEventListener('abort', leave);
      if (enough.aborted) leave();
      link.open({
        message: ({ message }) => dialogue.receive(message),
        closed: (reason) => {
          enough.removeEventListener('abort', leave);
          resolve({ kind: 'lost', reason });
        },
      });
    });
  } catch (error) {
    if (error instanceof UserError) throw error;
    return { kind: 'lost', reason: error instanceof Error ? error.message : String(error) };
  }
}

/** The words of one connection. */
class Dialogue {
  private handshake: Handshake | undefined;
  private isIn = false;

  constructor(
    private readonly link: Link,
    private readonly parts: SpectatorParts,
    private readonly settle: (outcome: Outcome) => void,
  ) {}

  receive(raw: unknown): void {
    try {
      this.hear(parseForWatcher(raw));
    } catch (error) {
      if (!(error instanceof ProtocolError)) throw error;
      this.end('refused', error.message);
    }
  }

  private hear(message: CoordinatorToWatcher): void {
    const { token } = this.parts.address;
    switch (message.kind) {
      case 'challenge': {
        if (this.handshake !== undefined) return this.outOfTurn(message.kind);
        const nonce = randomIdentifier();
        const { run, nonce: coordinatorNonce } = message;
        this.handshake = { run, coordinatorNonce, nodeNonce: nonce };
        const proof = nodeProof(token, this.handshake);
        return this.link.send({ kind: 'watch', version: PROTOCOL_VERSION, nonce, proof });
      }
      case 'watching': {
        if (this.handshake === undefined || this.isIn) return this.outOfTurn(message.kind);
        const expected = coordinatorProof(token, this.handshake);
        if (!proofsEqual(expected, message.proof))
          return this.end('refused', 'the coordinator does not know the token: check the line');
        this.isIn = true;
        this.parts.onNotice(`watching the run at ${hostAndPort(this.parts.address)}`);
        return this.link.admit(BOUNDS);
      }
      case 'progress':
      case 'metrics':
      case 'ended':
        return this.isIn ? this.parts.onNews(message) : this.outOfTurn(message.kind);
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

  private outOfTurn(kind: string): void {
    this.end('refused', `the coordinator said "${kind}" out of turn`);
  }

  private end(kind: Outcome['kind'], reason: string): void {
    this.settle({ kind, reason });
    this.link.close(reason);
  }
}

function pause({ clock, enough }: SpectatorParts, delayMs: number): Promise<void> {
  return new Promise((resolve) => {
    const done = (): void => {
      cancel();
      enough.removeEventListener('abort', done);
      resolve();
    };
    const cancel = clock.after(delayMs, done);
    enough.addEventListener('abort', done);
  });
}
