import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { describe, expect, it } from 'vitest';
import { SeededRandom } from '../../shared/actor/seeded-random.js';
import { encodeHead, FrameError, FrameReader } from '../../shared/link/frame.js';
import { SpareBuffers } from '../../shared/link/spare-buffers.js';
import { binaryHeader, WebSocketFault, WebSocketReader } from '../../shared/link/web-socket-frames.js';
import { STRANGER_BYTES_MAX } from '../../shared/link/web-socket-server.js';
import { ProtocolError, parseCoordinatorMessage, parseNodeMessage } from '../../shared/protocol/parse.js';
import { node } from '../../worker/node.js';
import { initialState } from '../../worker/state.js';
import { FIRST, SECOND, twoAtWork } from '../coordinator/script.js';
import { NONCE, RIGHT_HASHES, TOKEN } from '../coordinator/settings.js';
import { FROM_COORDINATOR, FROM_NODE } from './samples.js';

/* Mutated and random bytes, as a stranger may send them; UNISUM_FUZZ asks for more (`npm run fuzz`: ten million). */
const STREAMS = Number(process.env.UNISUM_FUZZ ?? 10_000) / 2;
const TIMEOUT_MS = 3_600_000;
/** Streams after which those that are not concerned are looked at in full. */
const LOOK_EVERY = 500;
/** Streams after which the heap is looked at, and what it may have grown by: a hundred bytes kept of each would be more. */
const LEAK_STREAMS = 100_000;
const HEAP_BYTES_MAX = 8 * 2 ** 20;

/** One who sends, as the other end reads it. */
interface Side<T> {
  readonly samples: readonly object[];
  readonly parse: (value: unknown) => T;
  readonly masked: boolean;
}

const NODE = { samples: FROM_NODE, parse: parseNodeMessage, masked: true };
const COORDINATOR = { samples: FROM_COORDINATOR, parse: parseCoordinatorMessage, masked: false };

/** One or two frames of a valid message, with up to four faults: whatever a broken or hostile peer might send. */
function mutatedStream(random: SeededRandom, { samples, masked }: Omit<Side<unknown>, 'parse'>): Uint8Array {
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

/** The messages of a stream up to its first fault. Throws whatever is no fault of the peer's. */
function read<T>(
  bytes: Uint8Array,
  random: SeededRandom,
  { parse, masked }: Side<T>,
): { messages: T[]; fault: string } {
  const messages: T[] = [];
  const frames = new FrameReader(new SpareBuffers());
  const reader = new WebSocketReader(masked, {
    stretch: (length, isLast) => frames.stretch(length, isLast),
    data: (piece) => frames.data(piece),
    end: () => void messages.push(parse(frames.end().message)),
    ping: () => {},
    close: () => {},
  });
  reader.messageBytesMax = STRANGER_BYTES_MAX;
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

/** Sends a stranger's streams; a failure names the seed. Returns how often what came of them. */
function storm<T>(
  side: Side<T>,
  hear: (message: T, seed: number) => void,
  streams = STREAMS,
): Record<string, number> {
  const counts: Record<string, number> = {};
  for (let seed = 0; seed < streams; seed++) {
    try {
      const random = new SeededRandom(seed);
      const { messages, fault } = read(mutatedStream(random, side), random, side);
      counts[fault] = (counts[fault] ?? 0) + 1;
      counts.message = (counts.message ?? 0) + messages.length;
      for (const message of messages) hear(message, seed);
    } catch (error) {
      throw new Error(`seed ${seed}`, { cause: error });
    }
  }
  return counts;
}

/** Of each kind of fault, and of messages that came through, there must have been many. */
function expectAllKinds(counts: Record<string, number>): void {
  for (const kind of ['none', 'message', 'WebSocketFault', 'FrameError', 'ProtocolError'])
    expect(counts[kind], kind).toBeGreaterThan(STREAMS / 200);
}

describe('what a stranger sends', () => {
  it(
    'changes nothing of a run: it is refused, and the others go on',
    () => {
      const script = twoAtWork();
      const others = (): string => {
        const { members, round, step } = script.state;
        return JSON.stringify(
          [step, [members.get('a'), members.get('b')], round?.roots, [...(round?.open ?? [])]],
          (key, value) => (key === 'parent' ? undefined : value),
        );
      };
      const before = others();
      let stranger = '';
      const counts = storm(NODE, (message, seed) => {
        if (!script.state.members.has(stranger)) {
          stranger = `stranger ${seed}`;
          script.connects(stranger);
        }
        for (const line of script.says(stranger, message)) {
          const about = line.replace(/stranger \d+/g, 'x').replace(/: .*/, '');
          // Whatever came with it is let go of: nothing did.
          expect(['notice refused x', 'x <- refuse', 'drop x', 'release ']).toContain(about);
        }
        if (seed % LOOK_EVERY === 0) expect(others()).toBe(before);
      });
      expectAllKinds(counts);
      expect(others()).toBe(before);
      expect(script.state.members.size).toBeLessThanOrEqual(3);
      script.answers('a', 0, FIRST);
      expect(script.answers('b', 0, SECOND)[0]).toMatch(/^finish 0 /);
    },
    TIMEOUT_MS,
  );

  it(
    'makes a node do nothing for a coordinator that has not proven itself',
    () => {
      const identity = {
        name: 'n',
        backend: 'wasm',
        detail: '',
        threads: 1,
        token: TOKEN,
        selfTest: RIGHT_HASHES,
      };
      const fresh = () => node(initialState(identity), { kind: 'opened', nonce: NONCE }).state;
      let state = fresh();
      const counts = storm(COORDINATOR, (message) => {
        const { effects } = node(state, { kind: 'received', message, payload: new Uint8Array(0) });
        for (const effect of effects) {
          expect(['send', 'close', 'end', 'notice', 'retry-after']).toContain(effect.kind);
          if (effect.kind === 'send') expect(['hello', 'leave', 'pong']).toContain(effect.message.kind);
        }
        expect(state.queue).toEqual([]);
        expect(state.run).toBeUndefined();
        if (state.phase !== 'greeting') state = fresh();
      });
      expectAllKinds(counts);
    },
    TIMEOUT_MS,
  );

  it(
    'leaves nothing behind',
    () => {
      setFlagsFromString('--expose-gc');
      const collect = runInNewContext('gc') as () => void;
      const heap = (): number => {
        collect();
        return process.memoryUsage().heapUsed;
      };
      storm(NODE, () => {}, Math.min(STREAMS, LEAK_STREAMS));
      const before = heap();
      storm(NODE, () => {}, Math.min(STREAMS, LEAK_STREAMS));
      expect(heap() - before).toBeLessThan(HEAP_BYTES_MAX);
    },
    TIMEOUT_MS,
  );
});
