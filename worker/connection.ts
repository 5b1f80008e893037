/* The connection of a worker: attempts to connect, and the handshake in which both sides prove that they know the token. */
import { assert } from '../shared/errors.js';
import { retryDelayMs } from '../shared/link/retry.js';
import {
  type Challenge,
  type MachineProof,
  PROTOCOL_VERSION,
  type Refuse,
  type Run,
  type SelfTestResult,
} from '../shared/protocol/messages.js';
import { coordinatorProof, type Handshake, proofsEqual, workerProof } from '../shared/protocol/proof.js';
import { endWorker, type WorkerEffect } from './messages.js';

/** What a worker tells a coordinator about itself, and the token that it proves to know. */
export interface WorkerIdentity {
  readonly name: string;
  readonly backend: string;
  readonly detail: string;
  readonly threads: number;
  readonly token: string;
  /** Proves that it has the key of its machine; undefined: it has none. */
  readonly proveMachine?: ((handshake: Handshake) => MachineProof) | undefined;
  readonly selfTest: readonly SelfTestResult[];
}

/** The connection's part of a worker's state. */
export interface Connection {
  readonly identity: WorkerIdentity;
  /** Connections that failed in a row, the latest one included. */
  failures: number;
  /** The worker's nonce on this link; undefined while there is no link. */
  nonce: string | undefined;
  /** What both proofs are computed over; undefined before the challenge. */
  handshake: Handshake | undefined;
  /** The run of this link's coordinator, once it has proven that it knows the token. */
  run: Run | undefined;
  /** The coordinator has refused this worker for a time, and the link is being closed. */
  refusal: Required<Pick<Refuse, 'reason' | 'retryAfterMs'>> | undefined;
}

export function createConnection(identity: WorkerIdentity): Connection {
  return {
    identity,
    failures: 0,
    nonce: undefined,
    handshake: undefined,
    run: undefined,
    refusal: undefined,
  };
}

/** The link is up. The coordinator speaks first: a worker tells nothing to a peer that may not be a coordinator. */
export function onOpened(connection: Connection, nonce: string): void {
  assert(connection.nonce === undefined, 'a worker has one link at a time');
  connection.nonce = nonce;
}

/** Answers the challenge with the worker's proof. */
export function onChallenge(connection: Connection, { run, nonce }: Challenge): WorkerEffect[] {
  assert(connection.nonce !== undefined && connection.handshake === undefined, 'a link has one challenge');
  const { token, proveMachine, ...identity } = connection.identity;
  connection.handshake = { run, coordinatorNonce: nonce, workerNonce: connection.nonce };
  const proof = workerProof(token, connection.handshake);
  const version = PROTOCOL_VERSION;
  const machine = proveMachine?.(connection.handshake);
  const { nonce: ownNonce } = connection;
  const hello = {
    kind: 'hello',
    version,
    nonce: ownNonce,
    proof,
    ...identity,
    ...(machine && { machine }),
  } as const;
  return [{ kind: 'send', message: hello }];
}

/** Checks the coordinator's proof, and prepares the run if it is right. */
export function onRun(connection: Connection, run: Run): WorkerEffect[] {
  const { handshake, identity } = connection;
  assert(handshake !== undefined && connection.run === undefined, 'a run follows the challenge of its link');
  if (!proofsEqual(coordinatorProof(identity.token, handshake), run.proof))
    return endWorker('refused', 'the coordinator does not know the token: check the join line');
  connection.run = run;
  return [{ kind: 'admit' }, { kind: 'prepare', run }];
}

/** The data is here, or its first chunk: the coordinator may send work. */
export function onReady(connection: Connection, hasData: boolean): WorkerEffect[] {
  assert(connection.run !== undefined, 'a worker is ready for a run');
  connection.failures = 0;
  return [{ kind: 'send', message: { kind: 'ready', ...(hasData ? {} : { lacksData: true }) } }];
}

/** The coordinator does not want this worker: for a time, after which it tries again, or at all. */
export function onRefuse(connection: Connection, { reason, retryAfterMs }: Refuse): WorkerEffect[] {
  if (retryAfterMs === undefined) return endWorker('refused', reason);
  connection.refusal = { reason, retryAfterMs };
  return [{ kind: 'close' }];
}

/** The link is gone or could not be established: tries again, later each time, up to a bound. */
export function onClosed(connection: Connection, closeReason: string): WorkerEffect[] {
  const { refusal } = connection;
  connection.refusal = undefined;
  connection.nonce = undefined;
  connection.handshake = undefined;
  connection.run = undefined;
  connection.failures += 1;
  const linkDelayMs = retryDelayMs(connection.failures);
  const { reason, retryAfterMs = 0 } = refusal ?? { reason: closeReason };
  if (linkDelayMs === undefined) {
    const attempts = `after ${connection.failures} attempts (${reason})`;
    return refusal === undefined
      ? endWorker('lost', `no coordinator ${attempts}`)
      : endWorker('refused', `refused ${attempts}`);
  }
  const delayMs = Math.max(linkDelayMs, retryAfterMs);
  const what = refusal === undefined ? 'no coordinator' : 'refused for now';
  return [
    { kind: 'notice', text: `${what} (${reason}); trying again in ${Math.ceil(delayMs / 10) / 100} s` },
    { kind: 'connect-after', delayMs },
  ];
}
