import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { describe, expect, it } from 'vitest';
import { SeededRandom } from '../../shared/actor/seeded-random.js';
import { encodeHead, FrameError, FrameReader } from '../../shared/link/frame.js';
import { SpareBuffers } from '../../shared/link/spare-buffers.js';
import { binaryHeader, WebSocketFault, WebSocketReader } from '../../shared/link/web-socket-frames.js';
import { UNAUTHENTICATED_BYTES_MAX } from '../../shared/link/web-socket-server.js';
import { ProtocolError } from '../../shared/protocol/checked.js';
import { parseCoordinatorMessage, parseWorkerMessage } from '../../shared/protocol/parse.js';
import { createWorkerState, workerTransition } from '../../worker/transition.js';
import { FIRST, SECOND, twoAtWork } from '../coordinator/script.js';
import { NONCE, RIGHT_HASHES, TOKEN } from '../coordinator/settings.js';
import { FROM_COORDINATOR, FROM_WORKER } from './samples.js';

/* Mutated and random bytes from an unauthenticated peer. UNISUM_FUZZ sets their number (`npm run fuzz`: ten million). */
const STREAMS = Number(process.env.UNISUM_FUZZ ?? 10_000) / 2;
const TIMEOUT_MS = 3_600_000;
/** Streams after which the state of the other members is compared. */
const COMPARE_EVERY = 500;
/** Streams after which the heap is measured, and its largest growth: a hundred bytes kept of each stream would be more. */
const LEAK_STREAMS = 100_000;
const HEAP_BYTES_MAX = 8 * 2 ** 20;

/** A sender, and how its messages are read. */
interface Sender<T> {
  readonly samples: readonly object[];
  readonly parse: (value: unknown) => T;
  readonly masked: boolean;
}

const WORKER = { samples: FROM_WORKER, parse: parseWorkerMessage, masked: true };
const COORDINATOR = { samples: FROM_COORDINATOR, parse: parseCoordinatorMessage, masked: false };

/** One or two frames of a valid message, with up to four faults. */
function mutatedStream(
  random: SeededRandom,
  { samples, masked }: Omit<Sender<unknown>, 'parse'>,
): Uint8Array {
  const payload = new Uint8Array(random.below(3) * random.below(40)).map(() => random.below(256));
  const head = encodeHead(samples[random.below(samples.length)] as object, payload.length);
  const isWhole = payload.length === 0;
  const parts = [binaryHeader(head.length, { isFirst: true, isLast: isWhole, masked }), head];
  if (!isWhole) parts.push(binaryHeader(payload.length, { isFirst: false, isLast: true, masked }), payload);
  let bytes = [...Buffer.concat(parts)];
  if (random.chance(0.02)) bytes = Array.from({ length: random.below(200) }, () => random.below(256));
  for (let faults = random.below(5); faults > 0; faults--) {
    const at = random.below(bytes.length + 1);
    switch (random.below(6)) {
      case 0:
        bytes[Math.min(at, bytes.length - 1)] = random.below(256);
        break;
      case 1:
        bytes[Math.min(at, bytes.length - 1)] = (bytes[at] ?? 0) ^ (1 << random.below(8));
        break;
      case 2:
        bytes.splice(at, random.below(9));
        break;
      case 3:
        bytes.splice(at, 0, ...Array.from({ length: random.below(9) }, () => random.below(256)));
        break;
      case 4:
        bytes.length = at;
        break;
      default:
        bytes.splice(at, 0, ...bytes.slice(random.below(bytes.length + 1)));
    }
  }
  return Uint8Array.from(bytes);
}

/** The messages of a stream up to its first fault. Errors that are not a peer's fault are thrown. */
function read<T>(
  bytes: Uint8Array,
  random: SeededRandom,
  { parse, masked }: Sender<T>,
): { messages: T[]; fault: string } {
  const messages: T[] = [];
  const frames = new FrameReader(new SpareBuffers());
  const reader = new WebSocketReader(masked, {
    span: (length, isLast) => frames.span(length, isLast),
    data: (piece) => frames.data(piece),
    end: () => void messages.push(parse(frames.end().message)),
    ping: () => {},
    close: () => {},
  });
  reader.messageBytesMax = UNAUTHENTICATED_BYTES_MAX;
  try {
    for (let at = 0; at < bytes.length; ) {
      const end = at + 1 + random.below(64);
      reader.push(bytes.subarray(at, end));
      at = end;
    }
    return { messages, fault: 'none' };
  } catch (error) {
    const isPeers = [WebSocketFault, FrameError, ProtocolError].some((Kind) => error instanceof Kind);
    if (!isPeers) throw error;
    return { messages, fault: (error as Error).name };
  }
}

/** Sends mutated streams. A failure names the seed. Returns how often each kind of fault occurred. */
function fuzz<T>(
  sender: Sender<T>,
  hear: (message: T, seed: number) => void,
  streams = STREAMS,
): Record<string, number> {
  const counts: Record<string, number> = {};
  for (let seed = 0; seed < streams; seed++) {
    try {
      const random = new SeededRandom(seed);
      const { messages, fault } = read(mutatedStream(random, sender), random, sender);
      counts[fault] = (counts[fault] ?? 0) + 1;
      counts.message = (counts.message ?? 0) + messages.length;
      for (const message of messages) hear(message, seed);
    } catch (error) {
      throw new Error(`seed ${seed}`, { cause: error });
    }
  }
  return counts;
}

/** Every kind of fault, and valid messages, must have occurred often. */
function expectAllKinds(counts: Record<string, number>): void {
  for (const kind of ['none', 'message', 'WebSocketFault', 'FrameError', 'ProtocolError'])
    expect(counts[kind], kind).toBeGreaterThan(STREAMS / 200);
}

describe('what an unauthenticated peer sends', () => {
  it(
    'does not change a run: it is refused, and the others go on',
    () => {
      const script = twoAtWork();
      const others = (): string => {
        const { workers, current } = script.state.scheduling;
        const { step } = script.state.training;
        return JSON.stringify(
          [step, [workers.get('a'), workers.get('b')], current?.roots, [...(current?.open ?? [])]],
          (key, value) => (key === 'parent' ? undefined : value),
        );
      };
      const before = others();
      let peer = '';
      const counts = fuzz(WORKER, (message, seed) => {
        if (!script.state.membership.members.has(peer)) {
          peer = `peer ${seed}`;
          script.connects(peer);
        }
        for (const line of script.says(peer, message)) {
          const about = line.replace(/peer \d+/g, 'x').replace(/: .*/, '');
          // `release` has no buffers: none came with the message.
          expect(['notice refused x', 'x <- refuse', 'drop x', 'release ']).toContain(about);
        }
        if (seed % COMPARE_EVERY === 0) expect(others()).toBe(before);
      });
      expectAllKinds(counts);
      expect(others()).toBe(before);
      expect(script.state.membership.members.size).toBeLessThanOrEqual(3);
      script.answers('a', 0, FIRST);
      expect(script.answers('b', 0, SECOND)[0]).toMatch(/^finish 0 /);
    },
    TIMEOUT_MS,
  );

  it(
    'makes a worker do nothing for a coordinator that has not authenticated',
    () => {
      const identity = {
        name: 'n',
        backend: 'wasm',
        detail: '',
        threads: 1,
        token: TOKEN,
        selfTest: RIGHT_HASHES,
      };
      const fresh = () => {
        const { state } = workerTransition(createWorkerState(identity), { kind: 'connect' });
        return workerTransition(state, { kind: 'opened', nonce: NONCE }).state;
      };
      let state = fresh();
      const counts = fuzz(COORDINATOR, (message) => {
        const { effects } = workerTransition(state, {
          kind: 'received',
          message,
          payload: new Uint8Array(0),
        });
        for (const effect of effects) {
          expect(['send', 'close', 'end', 'notice', 'connect-after']).toContain(effect.kind);
          if (effect.kind === 'send') expect(['hello', 'leave', 'pong']).toContain(effect.message.kind);
        }
        expect(state.workQueue.waiting).toEqual([]);
        expect(state.connection.run).toBeUndefined();
        if (!['awaiting-challenge', 'awaiting-run'].includes(state.phase)) state = fresh();
      });
      expectAllKinds(counts);
    },
    TIMEOUT_MS,
  );

  it(
    'leaves no memory behind',
    () => {
      setFlagsFromString('--expose-gc');
      const collect = runInNewContext('gc') as () => void;
      const heap = (): number => {
        collect();
        return process.memoryUsage().heapUsed;
      };
      fuzz(WORKER, () => {}, Math.min(STREAMS, LEAK_STREAMS));
      const before = heap();
      fuzz(WORKER, () => {}, Math.min(STREAMS, LEAK_STREAMS));
      expect(heap() - before).toBeLessThan(HEAP_BYTES_MAX);
    },
    TIMEOUT_MS,
  );
});
