/*
 * A worker: connects to its coordinator, proves that it may join and that its arithmetic is right, fetches the data, and
 * computes the leaves that it is assigned. It can be cut off at any moment: the coordinator then assigns its leaves to
 * another worker.
 *
 * The state has one part for each concern, and each part has its own handlers: the connection (connection.ts), the data
 * fetch (data-fetch.ts) and the work queue (work-queue.ts). This file alone knows the phase and composes the parts.
 *
 *     phase                what moves the worker on                                 next phase
 *     ------------------   ------------------------------------------------------   ------------------
 *     waiting              connect: the start, or the wait is over                  connecting
 *     connecting           opened: the link is up                                   awaiting-challenge
 *     awaiting-challenge   "challenge" is answered with "hello"                     awaiting-run
 *     awaiting-run         "run" has the right proof                                preparing
 *     preparing            prepared: the executor has allocated the run             fetching
 *     fetching             stored: the first chunk is here; "ready" is sent         working
 *     working              "work" is computed and answered with "partial-sums"      working
 *                          "fetch": the other chunks come; "ready" is sent again    working
 *     all but waiting      closed: the link is gone or was not established          waiting
 *                          "refuse" for a time closes the link                      waiting
 *     all                  an `end` effect: "stop", "refuse" for good, leave,       ended
 *                          failed, a message out of turn, too many attempts
 *
 * A message's way from the socket to the state, and back:
 *
 *     shared/link/web-socket.ts          reads the socket; web-socket-frames.ts and frame.ts assemble one message
 *     worker/effects.ts                  `receive` validates it (shared/protocol/parse.ts) and tells the actor
 *     shared/actor/actor.ts              calls the transition, one message at a time
 *     worker/transition.ts               checks that the phase allows it and calls the part that it concerns
 *     worker/connection.ts, data-fetch.ts or work-queue.ts     changes its part and returns effects
 *     worker/effects.ts                  performs the effects with the link and the executor; results are new messages
 *
 * The link of a local worker is shared/link/in-process.ts, which hands messages over as objects.
 */
import type { Transition } from '../shared/actor/transition.js';
import { assert } from '../shared/errors.js';
import type { CoordinatorToWorker } from '../shared/protocol/messages.js';
import {
  type Connection,
  createConnection,
  onChallenge,
  onClosed,
  onOpened,
  onReady,
  onRefuse,
  onRun,
  type WorkerIdentity,
} from './connection.js';
import {
  cancelFetch,
  createDataFetch,
  type DataFetch,
  isComplete,
  isIdle,
  onChunk,
  onFetch,
  onStored,
  startFetch,
} from './data-fetch.js';
import { endWorker, outOfTurn, type WorkerEffect, type WorkerMessage } from './messages.js';
import {
  createWorkQueue,
  discardWork,
  onCancel,
  onComputed,
  onSegment,
  onWork,
  startRun,
  type WorkQueue,
} from './work-queue.js';

/** See the table at the head of this file. */
export type WorkerPhase =
  | 'waiting'
  | 'connecting'
  | 'awaiting-challenge'
  | 'awaiting-run'
  | 'preparing'
  | 'fetching'
  | 'working'
  | 'ended';

/** The whole state of a worker. It belongs to the worker's actor; only the transition changes it. */
export interface WorkerState {
  phase: WorkerPhase;
  readonly connection: Connection;
  readonly dataFetch: DataFetch;
  readonly workQueue: WorkQueue;
}

/** A worker that has not connected yet. */
export function createWorkerState(identity: WorkerIdentity): WorkerState {
  return {
    phase: 'waiting',
    connection: createConnection(identity),
    dataFetch: createDataFetch(),
    workQueue: createWorkQueue(),
  };
}

/** One message in, the state after it and its effects out. A worker that has ended ignores every message. */
export const workerTransition: Transition<WorkerState, WorkerMessage, WorkerEffect> = (state, message) => {
  const effects = state.phase === 'ended' ? [] : handle(state, message);
  if (effects.some(({ kind }) => kind === 'end')) state.phase = 'ended';
  return { state, effects };
};

function handle(state: WorkerState, message: WorkerMessage): WorkerEffect[] {
  const { connection, dataFetch, workQueue } = state;
  switch (message.kind) {
    case 'connect':
      assert(state.phase === 'waiting', `a worker does not connect while ${state.phase}`);
      state.phase = 'connecting';
      return [{ kind: 'connect' }];
    case 'opened':
      assert(state.phase === 'connecting', `no link opens while a worker is ${state.phase}`);
      state.phase = 'awaiting-challenge';
      onOpened(connection, message.nonce);
      return [];
    case 'closed':
      assert(state.phase !== 'waiting', 'a worker that waits has no link');
      state.phase = 'waiting';
      cancelFetch(dataFetch);
      return [...discardWork(workQueue), ...onClosed(connection, message.reason)];
    case 'received':
      return onReceived(state, message.message, message.payload);
    case 'prepared':
      // The link may have gone meanwhile, and the next one may have brought another run.
      if (state.phase !== 'preparing' || message.run !== connection.run) return [];
      state.phase = 'fetching';
      startRun(workQueue, message.run, message);
      return withReady(state, startFetch(dataFetch, message));
    case 'stored':
      if (state.phase !== 'fetching' && state.phase !== 'working') return [];
      return withReady(state, onStored(dataFetch, message));
    case 'computed':
      return onComputed(workQueue, message);
    case 'failed':
      return [...leave(message.reason), ...endWorker('failed', message.reason)];
    case 'leave':
      return [...leave('left by its user'), ...endWorker('left', 'left by its user')];
    default:
      return message satisfies never;
  }
}

/** A message of the coordinator. One that the phase does not allow ends the worker: one of the two programs is wrong. */
function onReceived(state: WorkerState, message: CoordinatorToWorker, payload: Uint8Array): WorkerEffect[] {
  const { phase, connection, dataFetch, workQueue } = state;
  assert(phase !== 'waiting' && phase !== 'connecting', `nothing arrives while a worker is ${phase}`);
  switch (message.kind) {
    case 'challenge':
      if (phase !== 'awaiting-challenge') return outOfTurn(message.kind);
      state.phase = 'awaiting-run';
      return onChallenge(connection, message);
    case 'run':
      if (phase !== 'awaiting-run') return outOfTurn(message.kind);
      state.phase = 'preparing';
      return onRun(connection, message);
    case 'chunk':
      if (phase !== 'fetching' && phase !== 'working') return outOfTurn(message.kind);
      return onChunk(dataFetch, message, payload);
    case 'fetch':
      return phase === 'working' ? onFetch(dataFetch) : outOfTurn(message.kind);
    case 'work': {
      const { step, range, weights, update, rehearses = false } = message;
      // A sum over stand-ins for samples that are not here must never count.
      if (phase !== 'working' || !(rehearses || isComplete(dataFetch))) return outOfTurn(message.kind);
      const brings = weights ? 'weights' : update === undefined ? undefined : 'update';
      return onWork(workQueue, { step, range, brings, isRehearsed: update === 'rehearse' }, payload);
    }
    case 'segment':
      return phase === 'working' ? onSegment(workQueue, message, payload) : outOfTurn(message.kind);
    case 'cancel':
      if (phase !== 'working') return outOfTurn(message.kind);
      return onCancel(workQueue, message.step);
    case 'expel':
      // Only a relay has said who is below it.
      return phase === 'working' && workQueue.relays ? [{ kind: 'expel', message }] : outOfTurn(message.kind);
    case 'placement':
      if (phase !== 'working') return outOfTurn(message.kind);
      return [{ kind: 'notice', text: `${message.state}: ${message.reason}` }];
    case 'ping':
      return [{ kind: 'send', message: { kind: 'pong', id: message.id } }];
    case 'refuse':
      return onRefuse(connection, message);
    case 'stop':
      return endWorker(message.isUnfinished ? 'interrupted' : 'finished', message.reason);
    default:
      return message satisfies never;
  }
}

/** The effects of a fetch, and `ready` when nothing more is on its way. */
function withReady(state: WorkerState, effects: WorkerEffect[]): WorkerEffect[] {
  if (!isIdle(state.dataFetch)) return effects;
  state.phase = 'working';
  return [...effects, ...onReady(state.connection, isComplete(state.dataFetch))];
}

/** Tells the coordinator, if there is one, that this worker goes. */
function leave(reason: string): WorkerEffect[] {
  return [{ kind: 'send', message: { kind: 'leave', reason } }];
}
