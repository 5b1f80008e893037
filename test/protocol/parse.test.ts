import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { ProtocolError } from '../../shared/protocol/checked.js';
import { NEED_CHUNKS_MAX, PARTIAL_NODES_MAX, REASON_CHARACTERS_MAX } from '../../shared/protocol/limits.js';
import { PROTOCOL_VERSION } from '../../shared/protocol/messages.js';
import { parseCoordinatorMessage, parseWorkerMessage } from '../../shared/protocol/parse.js';
import { FROM_COORDINATOR, FROM_WORKER } from './samples.js';

type Path = readonly (string | number)[];

const DIRECTIONS = [
  ['coordinator', parseCoordinatorMessage, FROM_COORDINATOR],
  ['worker', parseWorkerMessage, FROM_WORKER],
] as const;

/** The path of every value inside a value. */
function pathsOf(value: unknown, path: Path = []): Path[] {
  if (typeof value !== 'object' || value === null) return [path];
  return [path, ...Object.entries(value).flatMap(([key, inner]) => pathsOf(inner, [...path, key]))];
}

/** A copy with the value at a path replaced; undefined removes it. */
function replaced(value: unknown, [key, ...rest]: Path, by: unknown): unknown {
  if (key === undefined) return by;
  const copy = structuredClone(value) as Record<string, unknown>;
  copy[key] = replaced(copy[key], rest, by);
  return JSON.parse(JSON.stringify(copy));
}

/** Values that are wrong at a path of a message. */
function wrongFor(path: Path): unknown[] {
  // shared/graph validates the model; here it only has to exist.
  if (path[0] === 'model') return path.length === 1 ? [undefined] : [];
  const isOptional = [
    'rehearses',
    'lacksData',
    'retryAfterMs',
    'isUnfinished',
    'audits',
    'concurrency',
    'parts',
    'isDeflated',
  ].includes(String(path.at(-1)));
  const texts = [...(isOptional ? [] : [undefined]), null, {}, '', 'x'.repeat(10_000)];
  const isAnyFloat = path.at(-1) === 'scale' || path.at(-1) === 'shift';
  return isAnyFloat ? texts : [...texts, -1, 2 ** 60];
}

describe.each(DIRECTIONS)('messages of a %s', (_, parse, samples) => {
  it.each(samples.map((message) => [message.kind, message] as const))(
    '%s is parsed unchanged',
    (_kind, message) => {
      expect(parse(JSON.parse(JSON.stringify(message)))).toEqual(message);
    },
  );

  it.each(samples.map((message) => [message.kind, message] as const))(
    '%s is refused with any field wrong',
    (_kind, message) => {
      for (const path of pathsOf(message)) {
        for (const by of wrongFor(path)) {
          expect(() => parse(replaced(message, path, by)), path.join('.')).toThrow(ProtocolError);
        }
      }
    },
  );

  it.each(samples.map((message) => [message.kind, message] as const))(
    '%s is refused with an additional field',
    (_kind, message) => {
      expect(() => parse({ ...message, more: 1 })).toThrow(ProtocolError);
      expect(() =>
        parse(JSON.parse(JSON.stringify({ ...message }).replace('{', '{"__proto__":{},'))),
      ).toThrow(ProtocolError);
    },
  );

  it('refuses what is not a message, without any other error', () => {
    const anything = fc.oneof(
      fc.anything(),
      fc.record({ kind: fc.constantFrom(...samples.map(({ kind }) => kind)), version: fc.anything() }),
      fc
        .tuple(fc.constantFrom(...samples), fc.string(), fc.anything())
        .map(([message, key, value]) => ({ ...message, [key]: value })),
    );
    fc.assert(
      fc.property(anything, (value) => {
        try {
          parse(value);
        } catch (error) {
          expect(error).toBeInstanceOf(ProtocolError);
          expect((error as Error).message).toMatch(/^[\x20-\x7e]{1,200}$/);
        }
      }),
      { numRuns: 3000 },
    );
  });
});

describe('bounds', () => {
  const [partialSums, need] = [
    FROM_WORKER.find(({ kind }) => kind === 'partial-sums'),
    FROM_WORKER.find(({ kind }) => kind === 'need'),
  ];

  it('hold for lists', () => {
    const nodes = (count: number) => ({
      ...partialSums,
      nodes: Array.from({ length: count }, () => ({ level: 0, index: 0 })),
    });
    expect(parseWorkerMessage(nodes(PARTIAL_NODES_MAX))).toEqual(nodes(PARTIAL_NODES_MAX));
    expect(() => parseWorkerMessage(nodes(PARTIAL_NODES_MAX + 1))).toThrow('nodes is wrong');
    expect(() => parseWorkerMessage({ ...need, chunks: new Array(NEED_CHUNKS_MAX + 1).fill(0) })).toThrow(
      'chunks is wrong',
    );
    expect(() => parseWorkerMessage({ ...need, chunks: [] })).toThrow('chunks is wrong');
  });

  it('hold for texts', () => {
    const leave = (reason: string) => ({ kind: 'leave', reason });
    const longest = 'x'.repeat(REASON_CHARACTERS_MAX);
    expect(parseWorkerMessage(leave(longest))).toEqual(leave(longest));
    expect(parseWorkerMessage(leave(`${longest}x`))).toEqual(leave(longest));
    expect(parseWorkerMessage(leave('two\nlines \u202eand\u001b[2J'))).toEqual(leave('two lines  and [2J'));
    for (const reason of ['', 'x'.repeat(10_000)]) {
      expect(() => parseWorkerMessage(leave(reason))).toThrow('reason is wrong');
    }
  });

  it('hold for ranges and settings', () => {
    const work = (from: number, to: number) => ({
      kind: 'work',
      step: 0,
      range: { from, to },
      weights: false,
    });
    for (const [from, to] of [
      [3, 3],
      [4, 3],
      [0, 2 ** 24 + 1],
      [0.5, 1],
    ] as const) {
      expect(() => parseCoordinatorMessage(work(from, to))).toThrow('range');
    }
    const run = FROM_COORDINATOR.find(({ kind }) => kind === 'run');
    const settings = { seed: 1, batch: 128, leafSize: 129, leavesPerGroup: 1 };
    expect(() => parseCoordinatorMessage({ ...run, settings })).toThrow('settings is wrong');
    expect(() =>
      parseCoordinatorMessage({ ...run, settings: { ...settings, batch: 2 ** 27, leafSize: 1 } }),
    ).toThrow('settings');
  });

  it('hold for the depth and the size of a model', () => {
    const run = FROM_COORDINATOR.find(({ kind }) => kind === 'run');
    const deep = JSON.parse('['.repeat(100_000) + ']'.repeat(100_000));
    expect(() => parseCoordinatorMessage({ ...run, model: deep })).toThrow('model is wrong');
    expect(() => parseCoordinatorMessage({ ...run, model: new Array(1_000_001).fill(0) })).toThrow(
      'model is wrong',
    );
    expect(parseCoordinatorMessage({ ...run, model: [[[[[1]]]]] })).toBeDefined();
  });

  it('reject memory offsets that come over a wire', () => {
    expect(() => parseWorkerMessage({ ...partialSums, buffers: [0, 64] })).toThrow('buffers is wrong');
  });
});

describe('another version', () => {
  const version = PROTOCOL_VERSION + 1;

  it('is named, whatever else its messages contain', () => {
    expect(() => parseWorkerMessage({ kind: 'hello', version, colour: 'blue' })).toThrow(
      `the worker speaks protocol version ${version}, this side ${PROTOCOL_VERSION}; install the same version of unisum on both`,
    );
    expect(() => parseCoordinatorMessage({ kind: 'challenge', version })).toThrow(
      `the coordinator speaks protocol version ${version}, this side ${PROTOCOL_VERSION}`,
    );
  });
});
