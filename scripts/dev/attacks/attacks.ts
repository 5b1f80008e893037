import { connect as connectPlain, type Socket } from 'node:net';
import { connect, type TLSSocket } from 'node:tls';
import type { Clock } from '../../../shared/actor/clock.js';
import { createPlan } from '../../../shared/compiler/plan.js';
import { parseModel } from '../../../shared/graph/resolve.js';
import { watchRun } from '../../../shared/link/watch-client.js';
import { connectWebSocket } from '../../../shared/link/web-socket-client.js';
import { hostAndPort, parseJoinUrl, WATCH_PATH } from '../../../shared/protocol/join-url.js';
import { NEED_CHUNKS_MAX } from '../../../shared/protocol/limits.js';
import type { CoordinatorToWorker, Run, Work } from '../../../shared/protocol/messages.js';
import { watchToken } from '../../../shared/protocol/proof.js';
import { leafCount, maximalSubtrees } from '../../../shared/reduction/tree.js';
import { HostileMember } from './hostile-member.js';

/** An attack under way. */
export interface Attacker {
  /** Ends it. */
  stop(): void;
}

/** Something that peers do to a run. */
export interface Attack {
  readonly name: string;
  /** Further arguments of `train`. */
  readonly args: readonly string[];
  /** The least speed under attack, as a part of the speed without, that counts as good. */
  readonly least: number;
  /** Time until it is measured, where its begin does not count; left out: none. */
  readonly settleMs?: number;
  /** Begins it. @param url the join line of the run */
  readonly start: (url: string, clock: Clock) => Attacker;
}

/** For members that can be excluded, and for what costs processor time of the same two cores. */
const EXCLUDED = 0.9;
const COSTLY = 0.6;
/** For a machine that joins and is sent the data, which is no attack. */
const JOINING = 0.95;
/** For people who look at the run, which is no attack either. */
const WATCHED = 0.99;
/** They have connected by then, and have been told what happened before. */
const CONNECTED_MS = 1200;
/** Peers of an attack that repeats something as fast as it can. */
const LOOPS = 4;
/** How often a member that does not read claims to be alive. */
const CLAIM_MS = 500;
/** Remote members are given work whether that is faster or not: those that would not be used could not do harm. */
const ALL = ['--placement', 'all'];
const AUDITED = ['--audit', '0.1', ...ALL];

/** The attacks, by the order of the table. */
export const ATTACKS: readonly Attack[] = [
  silent(1),
  silent(10),
  silent(300),
  silent(10, ALL),
  { name: 'slow', args: AUDITED, least: EXCLUDED, start: members(1, slow) },
  { name: 'lying once', args: AUDITED, least: EXCLUDED, start: members(1, () => liar(1, 1)) },
  { name: 'lying, returning', args: AUDITED, least: EXCLUDED, start: returning(() => liar(Infinity, 1)) },
  {
    name: 'NaN, returning',
    args: AUDITED,
    least: EXCLUDED,
    start: returning(() => liar(Infinity, Number.NaN)),
  },
  { name: 'joining in a loop', args: [], least: COSTLY, start: loops(LOOPS, joinsAndLeaves) },
  { name: 'fetching in a loop', args: [], least: COSTLY, start: loops(LOOPS, fetches) },
  { name: 'one that joins', args: [], least: JOINING, start: fetches },
  { name: '20 dashboards', args: [], least: WATCHED, settleMs: CONNECTED_MS, start: watches(20) },
  { name: '100 never reading', args: [], least: COSTLY, start: loops(100, neverReads) },
  { name: 'flooding pings', args: [], least: COSTLY, start: loops(LOOPS, floodsPings) },
  { name: '200 unread pages', args: [], least: COSTLY, start: unreadPages(200) },
  { name: 'fetching pages', args: [], least: COSTLY, start: loops(LOOPS, fetchesPage) },
  { name: 'opening TLS', args: ['--tls'], least: COSTLY, start: opensTls },
];

type Behaviour = (message: CoordinatorToWorker, member: HostileMember) => void;

/** A member that says that it is ready, answers pings, and leaves what is to be computed to `onWork`. */
function ready(onWork: (work: Work, run: Run, member: HostileMember) => void): Behaviour {
  let run: Run | undefined;
  return (message, member) => {
    if (message.kind === 'ping') member.say({ kind: 'pong', id: message.id });
    if (message.kind === 'run') {
      run = message;
      member.say({ kind: 'ready' });
    }
    if (message.kind === 'work' && run !== undefined) onWork(message, run, member);
  };
}

function silent(count: number, args: readonly string[] = []): Attack {
  const start = members(count, () => ready(() => {}));
  return { name: `${count} silent${args === ALL ? ', all used' : ''}`, args, least: EXCLUDED, start };
}

/** Answers what it is asked a second later, with wrong sums, so that it costs this machine nothing. */
function slow(clock: Clock): Behaviour {
  const answer = wrongSums(1);
  return ready((work, run, member) => void clock.after(1000, () => answer(work, run, member)));
}

/** Answers at once, with sums that are wrong so many times; later with nothing. */
function liar(times: number, value: number): Behaviour {
  let left = times;
  const answer = wrongSums(value);
  return ready((work, run, member) => {
    if (left-- > 0) answer(work, run, member);
  });
}

/** Sums of this value in all places. */
function wrongSums(value: number): (work: Work, run: Run, member: HostileMember) => void {
  let vectorFloats: number | undefined;
  return ({ step, range }, { model, settings: { batch, leafSize } }, member) => {
    vectorFloats ??= createPlan(parseModel(model)).vectorFloats;
    const nodes = maximalSubtrees(range, leafCount(batch, leafSize));
    const sums = new Float32Array(nodes.length * vectorFloats).fill(value);
    member.say({ kind: 'partial-sums', step, range, nodes, computeMicros: 1 }, new Uint8Array(sums.buffer));
  };
}

/** So many members, each once. */
function members(count: number, behave: (clock: Clock) => Behaviour): Attack['start'] {
  return (url, clock) => {
    const all = Array.from(
      { length: count },
      (_, i) => new HostileMember(url, `hostile ${i}`, behave(clock)),
    );
    return { stop: () => all.forEach((member) => void member.leave()) };
  };
}

/** A member that comes back under the same name as soon as it is expelled. */
function returning(behave: () => Behaviour): Attack['start'] {
  return loops(1, (url) => {
    const member = new HostileMember(url, 'hostile', behave());
    return { ended: member.closed, stop: () => member.leave() };
  });
}

/** Something that a peer does and that ends. */
interface Turn extends Attacker {
  readonly ended: Promise<void>;
}

/** Several peers that do something again and again. */
function loops(count: number, turn: (url: string, clock: Clock) => Turn): Attack['start'] {
  return (url, clock) => {
    const current = new Set<Turn>();
    let isStopped = false;
    const loop = async (): Promise<void> => {
      while (!isStopped) {
        const one = turn(url, clock);
        current.add(one);
        await one.ended;
        current.delete(one);
      }
    };
    for (let i = 0; i < count; i++) void loop();
    return {
      stop: () => {
        isStopped = true;
        for (const one of current) one.stop();
      },
    };
  };
}

/** Peers that have come so far: each comes under a new name, as a machine that is known would have to wait. */
let visits = 0;

function joinsAndLeaves(url: string): Turn {
  const member = new HostileMember(url, `visitor ${++visits}`, (message) => {
    if (message.kind !== 'run') return;
    member.say({ kind: 'ready' });
    member.say({ kind: 'leave', reason: 'bye' });
  });
  return { ended: member.closed, stop: () => member.leave() };
}

/** Requests all data, as fast as it arrives, and leaves. */
function fetches(url: string): Turn {
  let next = 0;
  let missing = 0;
  let chunks = 0;
  const member = new HostileMember(url, `fetcher ${++visits}`, (message) => {
    if (message.kind === 'ping') member.say({ kind: 'pong', id: message.id });
    if (message.kind === 'run') chunks = message.data.chunkHashes.length;
    if (message.kind === 'chunk') missing -= 1;
    if (message.kind !== 'run' && message.kind !== 'chunk') return;
    const wanted = Math.min(NEED_CHUNKS_MAX / 2 - missing, chunks - next);
    if (wanted > 0) member.say({ kind: 'need', chunks: Array.from({ length: wanted }, (_, i) => next + i) });
    next += wanted;
    missing += wanted;
    if (missing === 0) member.leave();
  });
  return { ended: member.closed, stop: () => member.leave() };
}

/** Requests data and does not read it, but claims to be alive. */
function neverReads(url: string, clock: Clock): Turn {
  let isOver = false;
  const claim = (): void => {
    if (isOver) return;
    member.say({ kind: 'pong', id: 0 });
    clock.after(CLAIM_MS, claim);
  };
  const member = new HostileMember(url, 'never reads', ({ kind, ...rest }) => {
    if (kind !== 'run') return;
    const { data } = rest as Run;
    const chunks = Array.from({ length: Math.min(NEED_CHUNKS_MAX, data.chunkHashes.length) }, (_, i) => i);
    member.say({ kind: 'need', chunks });
    member.socket.pause();
    claim();
  });
  void member.closed.then(() => {
    isOver = true;
  });
  return { ended: member.closed, stop: () => member.leave() };
}

/** Sends pings of the WebSocket protocol and pongs that nobody asked for, until it is disconnected. */
function floodsPings(url: string, clock: Clock): Turn {
  const member = new HostileMember(url, 'pings', ({ kind }) => {
    if (kind === 'run') flood();
  });
  const flood = (): void => {
    if (member.socket.readyState !== member.socket.OPEN) return;
    for (let i = 0; i < 500; i++) member.socket.ping();
    for (let id = 0; id < 5; id++) member.say({ kind: 'pong', id });
    clock.after(1, flood);
  };
  return { ended: member.closed, stop: () => member.leave() };
}

/** So many people who watch. */
function watches(count: number): Attack['start'] {
  return (url, clock) => {
    const address = parseJoinUrl(url);
    const all = Array.from({ length: count }, () => new AbortController());
    for (const left of all)
      void watchRun({
        ...{ token: watchToken(address.token), peer: hostAndPort(address), clock, stop: left.signal },
        connect: () => connectWebSocket(address, clock, WATCH_PATH),
        onNews: () => {},
        onNotice: () => {},
      });
    return { stop: () => all.forEach((left) => void left.abort()) };
  };
}

function requestPage(url: string, path: string): Socket {
  const { host, port } = parseJoinUrl(url);
  const socket = connectPlain({ host, port });
  socket.on('error', () => {});
  socket.write(`GET ${path} HTTP/1.1\r\nHost: ${host}\r\n\r\n`);
  return socket;
}

/** So many connections that ask for the largest file, not compressed, and never read it. */
function unreadPages(count: number): Attack['start'] {
  return (url) => {
    const sockets = Array.from({ length: count }, () => requestPage(url, '/kernels/exact.wasm').pause());
    return { stop: () => sockets.forEach((socket) => void socket.destroy()) };
  };
}

/** Asks for a page and reads it, as fast as it can. */
function fetchesPage(url: string): Turn {
  const socket = requestPage(url, '/page/main.js').resume();
  const ended = new Promise<void>((resolve) => void socket.once('close', () => resolve()));
  return { ended, stop: () => socket.destroy() };
}

/** Opens encrypted connections and closes them when the handshake is done. */
function opensTls(url: string): Attacker {
  const { host, port } = parseJoinUrl(url);
  const open = new Set<TLSSocket>();
  let isStopped = false;
  const next = (): void => {
    if (isStopped) return;
    const socket = connect({ host, port, rejectUnauthorized: false }, () => socket.destroy());
    open.add(socket);
    socket.on('error', () => {});
    socket.on('close', () => {
      open.delete(socket);
      next();
    });
  };
  for (let i = 0; i < 2 * LOOPS; i++) next();
  return {
    stop: () => {
      isStopped = true;
      for (const socket of open) socket.destroy();
    },
  };
}
