import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { ProtocolError } from '../../shared/protocol/parse.js';
import { PROTOCOL_VERSION } from '../../shared/protocol/version.js';
import { parseForWatcher, parseWatcherMessage } from '../../shared/protocol/watch-messages.js';
import { FROM_COORDINATOR, FROM_NODE } from './samples.js';

const HASH = '0123456789abcdef'.repeat(4);
const NONCE = 'n'.repeat(22);
const SHOWN = [
  { kind: 'challenge', version: PROTOCOL_VERSION, run: 'run-1', nonce: NONCE },
  { kind: 'watching', proof: HASH },
  { kind: 'progress', step: 3, steps: 9, epoch: 1, epochs: 2, loss: Number.NaN, samples: 96, workers: 0 },
  { kind: 'metrics', step: 3, epoch: 0.5, metrics: { testAccuracy: 0.5, 'mAP@0.5': -1 } },
  {
    ...{ kind: 'ended', ending: 'finished', steps: 9, samples: 288, seconds: 1.5, trainLoss: 0.25 },
    ...{ metrics: {}, weightsSha256: HASH },
  },
  { kind: 'refuse', reason: 'no' },
  { kind: 'stop', reason: 'the run is over' },
  { kind: 'ping', id: 0 },
] as const;
const SAID = [
  { kind: 'watch', version: PROTOCOL_VERSION, nonce: NONCE, proof: HASH },
  { kind: 'pong', id: 0 },
] as const;

describe.each([
  ['who watches', parseForWatcher, SHOWN],
  ['the run by who watches', parseWatcherMessage, SAID],
] as const)('what is said to %s', (_, parse, samples) => {
  it.each(samples.map((message) => [message.kind, message] as const))(
    '%s comes back as it was',
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

it('is refused when it is none, never with another error', () => {
  const changed = fc
    .tuple(fc.constantFrom(...SHOWN, ...SAID), fc.string(), fc.anything())
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

it('is neither work nor data nor weights', () => {
  for (const kind of ['run', 'chunk', 'work']) {
    const message = FROM_COORDINATOR.find((one) => one.kind === kind);
    expect(message).toBeDefined();
    expect(() => parseForWatcher(message)).toThrow(ProtocolError);
  }
  for (const message of FROM_NODE.filter(({ kind }) => kind !== 'pong'))
    expect(() => parseWatcherMessage(message), message.kind).toThrow(ProtocolError);
});

it('names the version of who speaks another', () => {
  const watch = { ...SAID[0], version: PROTOCOL_VERSION + 1, colour: 'blue' };
  expect(() => parseWatcherMessage(watch)).toThrow('the watcher speaks protocol version 2, this side 1');
});

it('is bounded in metrics and their names', () => {
  const metrics = Object.fromEntries(Array.from({ length: 65 }, (_, i) => [`m${i}`, i]));
  expect(() => parseForWatcher({ kind: 'metrics', step: 0, epoch: 0, metrics })).toThrow(ProtocolError);
  for (const name of ['', '\u001b[31m', 'x'.repeat(65)])
    expect(() => parseForWatcher({ kind: 'metrics', step: 0, epoch: 0, metrics: { [name]: 1 } })).toThrow(
      ProtocolError,
    );
});
