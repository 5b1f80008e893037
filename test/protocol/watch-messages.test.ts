import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { ProtocolError } from '../../shared/protocol/checked.js';
import { PROTOCOL_VERSION } from '../../shared/protocol/messages.js';
import { parseForWatcher, parseWatcherMessage } from '../../shared/protocol/watch-messages.js';
import { FROM_COORDINATOR, FROM_WORKER } from './samples.js';

const HASH = '0123456789abcdef'.repeat(4);
const NONCE = 'n'.repeat(22);
const TO_WATCHER = [
  { kind: 'challenge', version: PROTOCOL_VERSION, run: 'run-1', nonce: NONCE },
  { kind: 'watching', proof: HASH, right: 'operate' },
  { kind: 'state', isPaused: true, isClosed: false },
  {
    ...{ kind: 'members', step: 3, leftOut: 0, leaves: 8 },
    members: [
      {
        id: 'remote-1',
        name: 'eve',
        backend: 'wasm',
        threads: 2,
        state: 'active',
        samples: 9,
        confirmed: 0,
        expelled: 0,
        seconds: 1,
      },
    ],
    shares: [{ member: 'remote-1', from: 0, to: 8, isDone: false }],
  },
  {
    kind: 'layers',
    step: 3,
    layers: [{ name: 'dense', op: 'affine', activation: Number.NaN, gradientNorm: 2 }],
  },
  {
    ...{
      kind: 'examples',
      step: 40,
      subject: 'images',
      width: 2,
      height: 1,
      channels: 1,
      fixed: [],
      tried: 8,
      right: 7,
    },
    mistakes: [{ pixels: 'AP8', label: 'cat', answer: 'dog', probability: 0.75 }],
  },
  { kind: 'text', step: 40, prompt: 'It was ', text: 'a bright cold day' },
  { kind: 'controlled', id: 1, isDone: false, text: 'the run is paused already' },
  {
    kind: 'progress',
    step: 3,
    steps: 9,
    epoch: 1,
    epochs: 2,
    loss: Number.NaN,
    samples: 96,
    workers: 0,
    seconds: 1.5,
  },
  { kind: 'event', seconds: 2, topic: 'joined', text: 'worker 1 joined' },
  {
    kind: 'history',
    course: [{ step: 3, loss: Number.NaN, samples: 96, seconds: 1.5 }],
    evaluations: [{ step: 3, epoch: 0.5, metrics: { testLoss: 1 } }],
    events: [{ seconds: 2, topic: 'joined', text: 'worker 1 joined' }],
  },
  { kind: 'metrics', step: 3, epoch: 0.5, metrics: { testAccuracy: 0.5, 'mAP@0.5': -1 } },
  {
    ...{ kind: 'ended', exitReason: 'finished', steps: 9, samples: 288, seconds: 1.5, trainLoss: 0.25 },
    ...{ metrics: {}, weightsSha256: HASH },
  },
  { kind: 'refuse', reason: 'no' },
  { kind: 'stop', reason: 'the run is over' },
  { kind: 'stop', reason: 'the run is interrupted', isUnfinished: true },
  { kind: 'ping', id: 0 },
] as const;
const FROM_WATCHER = [
  { kind: 'watch', version: PROTOCOL_VERSION, nonce: NONCE, proof: HASH },
  { kind: 'pong', id: 0 },
  { kind: 'control', id: 1, action: 'remove', member: 'eve' },
] as const;

describe.each([
  ['to a watcher', parseForWatcher, TO_WATCHER],
  ['from a watcher', parseWatcherMessage, FROM_WATCHER],
] as const)('messages %s', (_, parse, samples) => {
  it.each(samples.map((message) => [message.kind, message] as const))(
    '%s is parsed unchanged',
    (_kind, message) => {
      expect(parse(message)).toEqual(message);
      expect(() => parse({ ...message, more: 1 })).toThrow(ProtocolError);
      for (const key of Object.keys(message)) {
        for (const wrong of [undefined, null, 7n, '', 'x'.repeat(10_000)])
          expect(() => parse({ ...message, [key]: wrong }), key).toThrow(ProtocolError);
      }
    },
  );
});

it('refuses what is not a message, without any other error', () => {
  const changed = fc
    .tuple(fc.constantFrom(...TO_WATCHER, ...FROM_WATCHER), fc.string(), fc.anything())
    .map(([message, key, value]) => ({ ...message, [key]: value }));
  fc.assert(
    fc.property(fc.oneof(fc.anything(), changed), (value) => {
      for (const parse of [parseForWatcher, parseWatcherMessage]) {
        try {
          parse(value);
        } catch (error) {
          expect(error).toBeInstanceOf(ProtocolError);
        }
      }
    }),
    { numRuns: 2000 },
  );
});

it('contain no work, data or weights', () => {
  for (const kind of ['run', 'chunk', 'work']) {
    const message = FROM_COORDINATOR.find((one) => one.kind === kind);
    expect(message).toBeDefined();
    expect(() => parseForWatcher(message)).toThrow(ProtocolError);
  }
  for (const message of FROM_WORKER.filter(({ kind }) => kind !== 'pong'))
    expect(() => parseWatcherMessage(message), message.kind).toThrow(ProtocolError);
});

it('name another protocol version of the peer', () => {
  const watch = { ...FROM_WATCHER[0], version: PROTOCOL_VERSION + 1, colour: 'blue' };
  expect(() => parseWatcherMessage(watch)).toThrow('the watcher speaks protocol version 9, this side 8');
});

it('have bounded metrics and metric names', () => {
  const metrics = Object.fromEntries(Array.from({ length: 65 }, (_, i) => [`m${i}`, i]));
  expect(() => parseForWatcher({ kind: 'metrics', step: 0, epoch: 0, metrics })).toThrow(ProtocolError);
  for (const name of ['', '\u001b[31m', 'x'.repeat(65)])
    expect(() => parseForWatcher({ kind: 'metrics', step: 0, epoch: 0, metrics: { [name]: 1 } })).toThrow(
      ProtocolError,
    );
});
