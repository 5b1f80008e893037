import { expect, it } from 'vitest';
import { Watchers } from '../../../coordinator/membership/watchers.js';
import { VirtualClock } from '../../../shared/actor/virtual-clock.js';
import { encodeHead } from '../../../shared/link/frame.js';
import { linkInProcess } from '../../../shared/link/in-process.js';
import type { CoursePoint, HistoryNews, RunReport } from '../../../shared/protocol/watch-messages.js';
import { record } from '../../link/recorder.js';

const ADMITTED = { proof: '0'.repeat(64), right: 'watch' } as const;

function progress(step: number): RunReport {
  return { kind: 'progress', step, steps: 9, epoch: 1, epochs: 1, loss: 1, samples: step, workers: 1 };
}
const METRICS: RunReport = { kind: 'metrics', step: 4, epoch: 1, metrics: { testLoss: 1 } };

/** A watcher, and what it has received, by kind and step. */
function watcher(watchers: Watchers, id: string): { received: () => Promise<string[]> } {
  const [mine, theirs] = linkInProcess(['run', id]);
  const heard = record(theirs);
  record(mine);
  watchers.add(id, mine, ADMITTED);
  return {
    received: async () => {
      mine.send({ kind: 'stop' });
      const before = heard.received.length;
      await heard.arrived(before + 1);
      return heard.received.splice(0).map(({ message }) => {
        const { kind, step } = message as { kind: string; step?: number };
        return step === undefined ? kind : `${kind} ${step}`;
      });
    },
  };
}

it('a watcher receives progress at once, then four times a second, and always the latest', async () => {
  const clock = new VirtualClock();
  const watchers = new Watchers(clock);
  const one = watcher(watchers, 'one');
  for (let step = 1; step <= 3; step++) watchers.publish(progress(step));
  expect(await one.received()).toEqual(['watching', 'history', 'progress 1', 'stop']);
  clock.advance(249);
  expect(await one.received()).toEqual(['stop']);
  clock.advance(1);
  expect(await one.received()).toEqual(['progress 3', 'stop']);
  clock.advance(10_000);
  expect(await one.received()).toEqual(['stop']);
  watchers.publish(progress(4));
  expect(await one.received()).toEqual(['progress 4', 'stop']);
});

it('a watcher receives an evaluation at once, after the progress until then; a late one receives what has happened', async () => {
  const watchers = new Watchers(new VirtualClock());
  const one = watcher(watchers, 'one');
  for (const news of [progress(1), progress(2), METRICS]) watchers.publish(news);
  expect(await one.received()).toEqual([
    'watching',
    'history',
    'progress 1',
    'progress 2',
    'metrics 4',
    'stop',
  ]);
  const late = watcher(watchers, 'late');
  expect(await late.received()).toEqual(['watching', 'history', 'progress 2', 'stop']);
  watchers.remove('one');
  watchers.publish(METRICS);
  expect(await one.received()).toEqual(['stop']);
  expect(await late.received()).toEqual(['metrics 4', 'stop']);
});

it('a watcher of a run with very many evaluations receives the first few at once, and then the latest, four times a second', async () => {
  const clock = new VirtualClock();
  const watchers = new Watchers(clock);
  const one = watcher(watchers, 'one');
  const evaluate = (from: number, to: number): void => {
    for (let step = from; step < to; step++) watchers.publish({ ...METRICS, step });
  };
  evaluate(1, 1000);
  const first = Array.from({ length: 8 }, (_, i) => `metrics ${i + 1}`);
  expect(await one.received()).toEqual(['watching', 'history', ...first, 'stop']);
  clock.advance(250);
  expect(await one.received()).toEqual(['metrics 999', 'stop']);
  evaluate(1000, 2000);
  const next = Array.from({ length: 7 }, (_, i) => `metrics ${1000 + i}`);
  expect(await one.received()).toEqual([...next, 'stop']);
  // What comes at once comes after what was reported before it.
  watchers.publish({ kind: 'state', isPaused: true, isClosed: false });
  expect(await one.received()).toEqual(['metrics 1999', 'state', 'stop']);
  // A member that is late in each step of a fast run.
  for (let i = 0; i < 1000; i++) watchers.publish({ kind: 'event', topic: 'hedged', text: `step ${i}` });
  watchers.publish({ kind: 'event', topic: 'left', text: 'eve left' });
  expect(await one.received()).toEqual([...Array.from({ length: 10 }, () => 'event'), 'stop']);
  clock.advance(250);
  expect(await one.received()).toEqual(['stop']);
});

it('takes answers of the model four times a second', () => {
  const clock = new VirtualClock();
  const watchers = new Watchers(clock);
  const taken: number[] = [];
  for (let ms = 0; ms < 1000; ms++) {
    if (watchers.takesAnswers()) taken.push(ms);
    clock.advance(1);
  }
  expect(taken).toEqual([0, 250, 500, 750]);
});

it('tells operators where members come from, and watchers only who they are', async () => {
  const watchers = new Watchers(new VirtualClock());
  expect(watchers.isWatched).toBe(false);
  const heard = (['watch', 'operate'] as const).map((right) => {
    const [mine, theirs] = linkInProcess(['run', right]);
    record(mine);
    watchers.add(right, mine, { ...ADMITTED, right });
    return record(theirs);
  });
  expect(watchers.isWatched).toBe(true);
  const row = {
    ...{ id: 'remote-1', name: 'eve', address: '192.0.2.7', backend: 'wasm', threads: 1 },
    ...({ state: 'active' } as const),
    ...{ samples: 1, confirmed: 0, expelled: 0, seconds: 1 },
  } as const;
  watchers.publishMembers({ kind: 'members', step: 0, members: [row], leftOut: 0, leaves: 8, shares: [] });
  const texts: string[] = [];
  for (const link of heard) {
    await link.arrived(3);
    texts.push(JSON.stringify(link.received[2]?.message));
  }
  expect(texts[0]).toContain('eve');
  expect(texts[0]).not.toContain('192.0.2.7');
  expect(texts[1]).toContain('192.0.2.7');
});

it('keeps few of what happens all the time, so that the rest has a place', async () => {
  const watchers = new Watchers(new VirtualClock());
  watchers.publish({ kind: 'event', topic: 'expelled', text: 'eve was expelled' });
  for (let i = 0; i < 500; i++) watchers.publish({ kind: 'event', topic: 'checkpoint', text: `step ${i}` });
  const [mine, theirs] = linkInProcess(['run', 'late']);
  const heard = record(theirs);
  watchers.add('late', mine, ADMITTED);
  await heard.arrived(2);
  const history = heard.received[1]?.message as HistoryNews;
  expect(history.events.map(({ text }) => text)).toEqual([
    'eve was expelled',
    ...Array.from({ length: 10 }, (_, i) => `step ${490 + i}`),
  ]);
});

it('watchers leave no timer when the run is over', async () => {
  const clock = new VirtualClock();
  const watchers = new Watchers(clock);
  const one = watcher(watchers, 'one');
  for (const news of [progress(1), progress(2)]) watchers.publish(news);
  watchers.close();
  clock.advance(1000);
  expect(await one.received()).toEqual(['watching', 'history', 'progress 1', 'stop']);
});

it('a late watcher receives the course of the run, thinned out, its evaluations and its events, with their times', async () => {
  const clock = new VirtualClock();
  const watchers = new Watchers(clock);
  for (let step = 1; step <= 10_000; step++) {
    clock.advance(10);
    watchers.publish(progress(step));
    if (step % 10 === 0)
      watchers.publish({ kind: 'metrics', step, epoch: step / 10, metrics: { testLoss: 1 } });
    if (step % 50 === 0) watchers.publish({ kind: 'event', topic: 'joined', text: `worker ${step} joined` });
  }
  const [mine, theirs] = linkInProcess(['run', 'late']);
  const heard = record(theirs);
  watchers.add('late', mine, ADMITTED);
  await heard.arrived(3);
  const history = heard.received[1]?.message as HistoryNews;
  const { course, evaluations, events } = history;
  expect(course.at(-1)).toEqual({ step: 10_000, loss: 1, samples: 10_000, seconds: 100 });
  expect(course.length).toBeLessThanOrEqual(256);
  const gaps = course.slice(1, -1).map(({ step }, i) => step - (course[i] as CoursePoint).step);
  expect(new Set(gaps).size).toBe(1);
  expect(evaluations.at(-1)).toEqual({ step: 10_000, epoch: 1000, metrics: { testLoss: 1 } });
  expect(events).toHaveLength(100);
  expect(events.at(-1)).toEqual({ seconds: 100, topic: 'joined', text: 'worker 10000 joined' });
  expect(encodeHead(history, 0).length).toBeLessThan(2 ** 16);
  watchers.close();
});
