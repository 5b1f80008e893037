import { describe, expect, it } from 'vitest';
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
import { Tape } from '../../shared/kernels/tape.js';

describe('points of scaling', () => {
  const points = scalingPoints({ workers: [1, 2], threads: [1, 2], remote: [1, 3] }, 64);

  it('are all units in both modes, none of them twice', () => {
    expect(points.map(({ mode, spread, units, batch }) => `${mode} ${spread} ${units} ${batch}`)).toEqual([
      'strong workers 1 64',
      'strong workers 2 64',
      'strong threads 2 64',
      'strong remote 1 64',
      'strong remote 3 64',
      'weak workers 2 128',
      'weak threads 2 128',
      'weak remote 3 192',
    ]);
  });

  it('are compared with one unit of their kind', () => {
    const baseUnits = points.map((point) => baseOf(point, points)?.spread);
    const [workers, remote] = ['workers', 'remote'];
    expect(baseUnits).toEqual([workers, workers, workers, remote, remote, workers, workers, remote]);
  });

  it('are twice as fast when half the time, or twice the work, is needed', () => {
    const point = (mode: ScalingPoint['mode']): ScalingPoint => ({
      mode,
      spread: 'workers',
      units: 2,
      batch: 1,
    });
    expect(speedUp(point('strong'), 50, 100)).toBe(2);
    expect(speedUp(point('weak'), 100, 100)).toBe(2);
  });
});

describe('the split of a step', () => {
  const sum = (parts: object): number => Object.values(parts).reduce((total, part) => total + part, 0);

  it('is the step, of local threads', () => {
    const split = localSplit({ stepMs: 0.1, computeMs: 0.06, reduceMs: 0.01, updateMs: 0.02 });
    expect(split.wait).toBeCloseTo(10, 9);
    expect(sum(split)).toBeCloseTo(100, 9);
  });

  it('is the step, of processes: for the slowest the others wait', () => {
    const report = { ending: 'finished', reason: '', payloadBytes: 0 };
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
  it('tell computation, additions and update apart, and run every word once', () => {
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
    const put = (offset: number, tape: Tape): number => {
      const words = tape.words();
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
    const compute = put(0, new Tape().emit('gatherWords', gather).emit('fill', { out: 0, n: 0, value: 1 }));
    const add = { out: 0, a: 0, b: 0, n: 0 };
    const update = { weights: 0, gradient: 0, momentum: 0, n: 0, scalars: 0 };
    const squares = { a: 0, out: 0, large: 0, n: 0 };
    const finish = put(
      4096,
      new Tape().emit('addVectors', add).emit('sumSquares', squares).emit('addVectors', add),
    );
    const ending = put(8192, new Tape().emit('sgdUpdate', update));
    kernels.run(0, compute);
    kernels.run(4096, finish);
    kernels.run(8192, ending);
    expect(ran).toEqual([`0+${compute}`, `4096+${finish}`, `8192+${ending}`]);
    const atMs = compute + finish + ending;
    expect(reports).toEqual([
      { thread: 3, atMs, computeMs: compute, reduceMs: finish, updateMs: ending, updates: 1 },
    ]);
  });
});

describe('the span of a run', () => {
  const record = (step: number) => ({ step, batch: 1, means: {}, members: 1 });

  it('leaves out the beginning and evaluations, and takes a stride for one', () => {
    const clock = new VirtualClock();
    const span = new RunSpan(clock);
    clock.advance(500);
    for (const step of [1, 2, 3, 4]) span.stepped(record(step));
    clock.advance(30);
    for (const step of [5, 6, 7]) span.stepped(record(step));
    clock.advance(1000);
    span.evaluated();
    clock.advance(30);
    for (const step of [8, 9, 10]) span.stepped(record(step));
    expect(span.usPerStep()).toBeCloseTo(10_000, 6);
  });

  it('is refused of a run that was one stride', () => {
    const span = new RunSpan(new VirtualClock());
    expect(() => span.usPerStep()).toThrow('without a step');
    span.stepped(record(1));
    expect(() => span.usPerStep()).toThrow('one stride');
  });
});
