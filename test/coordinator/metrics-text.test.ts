import { expect, it } from 'vitest';
import { memberTable } from '../../coordinator/member-table.js';
import { metricsText } from '../../coordinator/metrics-text.js';
import { parseForWatcher } from '../../shared/protocol/watch-messages.js';
import { FIRST, Script, twoAtWork } from './script.js';

/* What is told of a run's state: to those who watch, and to Prometheus. */

/** One line of the text format: name, labels with escapes, and a value. */
const LINE =
  /^([a-zA-Z_:][\w:]*)(?:\{((?:[a-zA-Z_]\w*="(?:[^"\\\n]|\\[\\"n])*",?)*)\})? ([-+]?[\d.e-]+|NaN|[+-]Inf)$/;

/** Reads the text format, strictly: each metric is announced before its lines, once. */
function parse(text: string): Map<string, Map<string, number>> {
  const metrics = new Map<string, Map<string, number>>();
  let current = '';
  expect(text.endsWith('\n')).toBe(true);
  for (const line of text.slice(0, -1).split('\n')) {
    const [, announced, name = ''] = /^# (HELP|TYPE) (\S+) /.exec(line) ?? [];
    if (announced === 'HELP') {
      expect(metrics.has(name), line).toBe(false);
      metrics.set(name, new Map());
      current = name;
    } else if (announced === 'TYPE') {
      expect(line).toMatch(/ (counter|gauge)$/);
      // Prometheus' convention: counters, and nothing else, end with _total.
      expect(name.endsWith('_total'), line).toBe(line.endsWith(' counter'));
    } else {
      const [, of, labels = '', value = ''] = LINE.exec(line) ?? [];
      expect(of, line).toBe(current);
      metrics.get(current)?.set(labels, Number(value.replace('Inf', 'Infinity')));
    }
  }
  return metrics;
}

it('lists the members, what they do and who has which leaves', () => {
  const script = twoAtWork();
  script.joins('l', { local: true });
  script.nowMs = 2000;
  script.answers('a', 0, FIRST);
  const table = memberTable(script.state, 3000);
  expect(parseForWatcher(table)).toEqual(table);
  expect(table.members.map(({ id, state }) => [id, state])).toEqual([
    ['a', 'active'],
    ['b', 'active'],
    ['l', 'here'],
  ]);
  expect(table).toMatchObject({ step: 0, leaves: 8, leftOut: 0 });
  expect(table.shares).toEqual([
    { member: 'a', from: 0, to: 4, isDone: true },
    { member: 'b', from: 4, to: 8, isDone: false },
  ]);
  const [a] = table.members;
  expect(a).toMatchObject({ name: 'a', address: 'a', threads: 1, silentMs: 1000, seconds: 3 });
  // 4 leaves of 4 samples, whose threads took 1 microsecond by its own account; the exchange took the rest of 2 s.
  expect(a?.exchangeMs).toBeCloseTo(2000, 0);
  expect(a?.megabits).toBeCloseTo((8 * 8000) / 2000 / 1000, 3);
});

it('lists at most 64 members, those with the most samples first, and neither watchers nor unauthenticated peers', () => {
  const script = new Script();
  for (let i = 0; i < 70; i++) script.joins(`m${i}`);
  script.connects('unauthenticated');
  const member = script.state.membership.members.get('m69');
  if (member !== undefined) member.samples = 5;
  const { members, leftOut } = memberTable(script.state, 0);
  expect([members.length, leftOut, members[0]?.id]).toEqual([64, 6, 'm69']);
  expect(members.some(({ id }) => id === 'unauthenticated')).toBe(false);
});

it("gives metrics in Prometheus' text format, whatever members are called", () => {
  const script = twoAtWork();
  const name = 'e"\\ve\n{} 1';
  const member = script.state.membership.members.get('a');
  if (member !== undefined) Object.assign(member, { name, samples: 12, roundTripMs: 3 });
  script.state.membership.isClosed = true;
  const progress = {
    ...({ kind: 'progress' } as const),
    ...{ step: 1, steps: 6, epoch: 1, epochs: 2, loss: Number.NaN, samples: 32 },
    ...{ workers: 2, seconds: 1 },
  } as const;
  const evaluation = { step: 1, epoch: 1, metrics: { testLoss: Number.POSITIVE_INFINITY } };
  const metrics = parse(metricsText(script.state, { progress, evaluation }, 0));
  const value = (metric: string, labels = ''): number | undefined => metrics.get(metric)?.get(labels);
  expect(value('unisum_steps_planned')).toBe(6);
  expect(value('unisum_samples_total')).toBe(32);
  expect(value('unisum_loss')).toBeNaN();
  expect(value('unisum_evaluation', 'metric="testLoss"')).toBe(Number.POSITIVE_INFINITY);
  expect(value('unisum_closed')).toBe(1);
  expect(value('unisum_members', 'state="active"')).toBe(2);
  const labels = 'member="e\\"\\\\ve\\n{} 1",id="a"';
  expect(value('unisum_member_samples_total', labels)).toBe(12);
  expect(value('unisum_member_round_trip_seconds', labels)).toBe(0.003);
  expect(value('unisum_checkpoint_step')).toBeUndefined();
});
