import { describe, expect, it } from 'vitest';
import { PLAIN, parseExchange } from '../../scripts/bench/exchange.js';
import { RunSpan } from '../../scripts/bench/run-span.js';
import {
  baseOf,
  localSplit,
  remoteSplit,
  type ScalingPoint,
  scalingPoints,
  speedUp,
} from '../../scripts/bench/scaling-points.js';
import type { ThreadTimes } from '../../scripts/bench/thread-times.js';
import { TimedKernels } from '../../scripts/bench/timed-kernels.js';
import { VirtualClock } from '../../shared/actor/virtual-clock.js';
import { CommandBuffer } from '../../shared/kernels/command-buffer.js';
import { innerSteps } from '../../trainer/local-run.js';

describe('points of scaling', () => {
  const points = scalingPoints({ workers: [1, 2], threads: [1, 2], remote: [1, 3], joined: [1, 2] }, 64);

  it('cover all units in both modes, each once', () => {
    expect(points.map(({ mode, spread, units, batch }) => `${mode} ${spread} ${units} ${batch}`)).toEqual([
      'strong workers 1 64',
      'strong workers 2 64',
      'strong threads 2 64',
      'strong remote 1 64',
      'strong remote 3 64',
      'strong joined 1 64',
      'strong joined 2 64',
      'weak workers 2 128',
      'weak threads 2 128',
      'weak remote 3 192',
      'weak joined 2 128',
    ]);
  });

  it('have curves of their own for each exchange, compared with one unit of the same', () => {
    const coded = parseExchange('step+int8');
    const both = scalingPoints({ workers: [1], threads: [1], remote: [1], joined: [1, 2] }, 64, [
      PLAIN,
      coded,
    ]);
    expect(both.map(({ spread, units, exchange }) => `${spread} ${units} ${exchange.name}`)).toEqual(
      [PLAIN, coded].flatMap(({ name }) => [
        ...[`workers 1 ${name}`, `remote 1 ${name}`, `joined 1 ${name}`, `joined 2 ${name}`],
        `joined 2 ${name}`,
      ]),
    );
    expect(new Set(both.map((point) => baseOf(point, both)?.exchange === point.exchange))).toEqual(
      new Set([true]),
    );
  });

  it('have no local worker that nobody joins, where there is nothing to compare with it', () => {
    const alone = scalingPoints({ workers: [1], threads: [1], remote: [1], joined: [1] }, 64);
    expect(alone.map(({ spread }) => spread)).toEqual(['workers', 'remote']);
  });

  it('are compared with one unit of the same spread', () => {
    const baseUnits = points.map((point) => baseOf(point, points)?.spread);
    const [workers, remote, joined] = ['workers', 'remote', 'joined'];
    expect(baseUnits).toEqual([
      ...[workers, workers, workers, remote, remote, joined, joined],
      ...[workers, workers, remote, joined],
    ]);
  });

  it('are twice as fast for half the time, or for twice the work in the same time', () => {
    const point = (mode: ScalingPoint['mode']): ScalingPoint => ({
      mode,
      spread: 'workers',
      units: 2,
      batch: 1,
      exchange: PLAIN,
    });
    expect(speedUp(point('strong'), 50, 100)).toBe(2);
    expect(speedUp(point('weak'), 100, 100)).toBe(2);
  });
});

describe('an exchange', () => {
  it('is what train takes as --sync and --compress', () => {
    expect(parseExchange('step')).toBe(PLAIN);
    expect(parseExchange('step+none')).toBe(PLAIN);
    expect(parseExchange('step+int8')).toMatchObject({ sync: 'step', compress: 'int8' });
    const local = parseExchange('local:replicas=4,steps=30+int4');
    expect(local).toMatchObject({ name: 'local:replicas=4,steps=30+int4', compress: 'int4' });
    expect([PLAIN, local].map(({ sync }) => innerSteps(sync))).toEqual([1, 30]);
  });

  it.each(['', 'int8', 'step+int9', 'step+int8+int8', 'local:replicas=0'])('is not "%s"', (text) => {
    expect(() => parseExchange(text)).toThrow(/--sync|--exchange|replicas/);
  });
});

describe('the split of a step', () => {
  const sum = (parts: object): number => Object.values(parts).reduce((total, part) => total + part, 0);

  it('adds up to the step, for local threads', () => {
    const split = localSplit({ stepMs: 0.1, computeMs: 0.06, reduceMs: 0.01, updateMs: 0.02 });
    expect(split.wait).toBeCloseTo(10, 9);
    expect(sum(split)).toBeCloseTo(100, 9);
  });

  it('adds up to the step, for processes: the others wait for the slowest', () => {
    const report = { exitReason: 'finished', reason: '', payloadBytes: 0 };
    const reports = [
      { ...report, computeMs: [9, 9, 0.02, 0.06] },
      { ...report, computeMs: [9, 9, 0.04, 0.02] },
    ];
    const split = remoteSplit(100, reports, { stepMs: 9, computeMs: 9, reduceMs: 0.01, updateMs: 0.02 });
    expect(split.compute).toBeCloseTo(35, 9);
    expect(split.wait).toBeCloseTo(15, 9);
    expect(split.wire).toBeCloseTo(20, 9);
    expect(sum(split)).toBeCloseTo(100, 9);
  });
});

describe('timed kernels', () => {
  it('distinguish computation, reduction and update, and run every command buffer once', () => {
    const memory = new WebAssembly.Memory({ initial: 1, maximum: 1, shared: true });
    const clock = new VirtualClock();
    const ran: string[] = [];
    const inner = {
      backend: 'wasm' as const,
      detail: '',
      run(offset: number, words: number) {
        ran.push(`${offset}+${words}`);
        clock.advance(words);
      },
    };
    const reports: ThreadTimes[] = [];
    const kernels = new TimedKernels(inner, memory, 3, clock, (times) => reports.push(times));
    const put = (offset: number, commandBuffer: CommandBuffer): number => {
      const words = commandBuffer.words();
      new Int32Array(memory.buffer, offset, words.length).set(words);
      return words.length;
    };
    const gather = {
      out: 0,
      chunkTable: 0,
      cursor: 0,
      first: 0,
      rows: 0,
      elements: 0,
      chunkSamples: 1,
      recordBytes: 1,
      fieldOffset: 0,
    };
    const compute = put(
      0,
      new CommandBuffer().emit('gatherWords', gather).emit('fill', { out: 0, n: 0, value: 1 }),
    );
    const add = { out: 0, a: 0, b: 0, n: 0 };
    const update = { weights: 0, gradient: 0, momentum: 0, n: 0, scalars: 0 };
    const squares = { a: 0, out: 0, large: 0, n: 0 };
    const finish = put(
      4096,
      new CommandBuffer().emit('addVectors', add).emit('sumSquares', squares).emit('addVectors', add),
    );
    const updateWords = put(8192, new CommandBuffer().emit('sgdUpdate', update));
    kernels.run(0, compute);
    kernels.run(4096, finish);
    kernels.run(8192, updateWords);
    expect(ran).toEqual([`0+${compute}`, `4096+${finish}`, `8192+${updateWords}`]);
    const atMs = compute + finish + updateWords;
    expect(reports).toEqual([
      { thread: 3, atMs, computeMs: compute, reduceMs: finish, updateMs: updateWords, updates: 1 },
    ]);
  });
});

describe('the span of a run', () => {
  const record = (step: number) => ({ step, batch: 1, means: {}, members: 1 });

  it('leaves out warm-up and evaluations, and times an execution as one', async () => {
    const clock = new VirtualClock();
    const span = new RunSpan(clock);
    clock.advance(500);
    for (const step of [1, 2, 3, 4]) span.stepped(record(step));
    await Promise.resolve();
    clock.advance(30);
    for (const step of [5, 6, 7]) span.stepped(record(step));
    clock.advance(1000);
    span.evaluated();
    clock.advance(30);
    for (const step of [8, 9, 10]) span.stepped(record(step));
    expect(span.usPerStep()).toBeCloseTo(10_000, 6);
  });

  it('needs more than one execution', () => {
    const span = new RunSpan(new VirtualClock());
    expect(() => span.usPerStep()).toThrow('without a step');
    span.stepped(record(1));
    expect(() => span.usPerStep()).toThrow('one execution');
  });
});
