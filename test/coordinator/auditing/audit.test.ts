import { describe, expect, it } from 'vitest';
import type { WorkerRecord } from '../../../coordinator/scheduling/scheduling-state.js';
import type { Member } from '../../../coordinator/state/member.js';
import type { LeafRange } from '../../../shared/reduction/tree.js';
import { Script } from '../script.js';
import { hello } from '../settings.js';

const ALL = { from: 0, to: 8 };
const AUDIT = { fraction: 1, seed: 1 };
const WAITS =
  /^notice step 0 waits: (a and b|b and a) differ over the leaves 0 to 1, and nobody can decide between them; let another machine join$/;

function compared(of: Record<string, string>, task = 0): Parameters<Script['tell']>[0] {
  const hashes = Object.entries(of).map(([memberId, hash]) => ({ memberId, hash }));
  const differ = hashes.some(({ hash }) => hash !== hashes[0]?.hash);
  return { kind: 'compared', step: 0, task, hashes, parameter: differ ? 'dense.weight' : undefined };
}

/** One task of one leaf that both `a` and `b` are given. */
function auditedTask(local = false): Script {
  const script = new Script({ minWorkers: 2, batch: 4, samples: 4, audit: AUDIT });
  script.joins('a', { rehearsed: true });
  script.joins('b', { local, rehearsed: true });
  return script;
}

/** The assignees of the task: the first by assignment, the second to confirm it. */
function assignees({ state }: Script): [string, string] {
  return [...(state.scheduling.current?.held.keys() ?? [])] as [string, string];
}

describe('audited work', () => {
  it('is given to a second member as well, and counts when both answers have equal bits', () => {
    const script = auditedTask();
    const range = { from: 0, to: 1 };
    const [first, second] = assignees(script);
    expect(script.answers(first, 0, range, 1)).toEqual([]);
    expect(script.answers(second, 0, range, 1)).toEqual([`compare task 0: ${first} ${second}`]);
    expect(script.tell(compared({ [first]: 'x', [second]: 'x' }))).toEqual([
      'release 101',
      'finish 0 with scalars 1: (0,0)@100',
    ]);
  });

  it('on which two members differ is given to a third; the member that disagrees with both others is expelled with evidence', () => {
    const script = auditedTask();
    const range = { from: 0, to: 1 };
    const [first, second] = assignees(script);
    script.answers(first, 0, range, 1);
    script.answers(second, 0, range, 1);
    // There is no third member: the run waits for one.
    expect(script.tell(compared({ [first]: 'wrong', [second]: 'right' }))).toEqual([
      'notice two members differ over the leaves 0 to 1 of step 0: a third is asked',
      expect.stringMatching(WAITS),
    ]);
    expect(script.tick(9000).filter((line) => line.startsWith('notice'))).toEqual([]);
    for (const id of ['a', 'b']) script.says(id, { kind: 'pong', id: script.openPing(id) });
    expect(script.tick(10_000)).toContain(
      'notice step 0 waits for 10 s: a and b differ over the leaves 0 to 1, and nobody can decide between them; let another machine join',
    );
    expect(script.joins('c')).toEqual([
      'notice c joined (wasm); 3 at work',
      'c <- work 0 [0,1) + weights',
      'notice step 0 goes on after 10 s',
    ]);
    expect(script.answers('c', 0, range, 1)).toEqual([`compare task 0: ${first} ${second} c`]);
    const effects = script.tellAll(compared({ [first]: 'wrong', [second]: 'right', c: 'right' }));
    const why = 'its sums over the leaves 0 to 1 of step 0 are wrong, first in dense.weight';
    expect(effects).toEqual([
      'release 100',
      `report expelled ${first} over [0,1): dense.weight, wrong for right`,
      `notice refused ${first}: ${why}`,
      `${first} <- refuse: ${why}`,
      `drop ${first}: ${why}`,
      `notice ${first} left (${why}); 2 at work`,
      'release 102',
      'finish 0 with scalars 1: (0,0)@101',
    ]);
  });

  it('is decided by a local worker that has answered it', () => {
    const script = auditedTask(true);
    const range = { from: 0, to: 1 };
    expect(script.state.scheduling.current?.held.get('a')).toBeDefined();
    script.answers('a', 0, range, 1);
    script.answers('b', 0, range, 1);
    const effects = script.tell(compared({ a: 'wrong', b: 'right' }));
    expect(effects).toContain(
      'drop a: its sums over the leaves 0 to 1 of step 0 are wrong, first in dense.weight',
    );
    expect(effects.at(-1)).toBe('finish 0 with scalars 1: (0,0)@101');
  });

  it.each([
    ['with --audit 1', 1, 100],
    ['before anybody has confirmed them', 1e-9, 0],
  ])('needs this machine where it computes, %s: others may have agreed', (_when, fraction, confirmed) => {
    const script = new Script({ minWorkers: 3, audit: { fraction, seed: 1 } });
    script.joins('local', { local: true });
    for (const id of ['a', 'b']) script.connects(id);
    for (const id of ['a', 'b']) script.says(id, hello(id));
    for (const id of ['a', 'b']) {
      (script.state.membership.members.get(id) as Member).standing.confirmed = confirmed;
      (script.state.scheduling.workers.get(id) as WorkerRecord).hasRehearsed = true;
      script.says(id, { kind: 'ready' });
    }
    const owed = (who: readonly string[]): [string, LeafRange][] =>
      who.flatMap((id) => {
        const tasks = script.state.scheduling.current?.held.get(id) ?? [];
        return tasks.map(({ range }): [string, LeafRange] => [id, range]);
      });
    const all = (who: readonly string[]): void => {
      for (let [next] = owed(who); next !== undefined; [next] = owed(who))
        for (const line of script.answers(...[next[0], 0, next[1]])) {
          const [, task, ids = ''] = /^compare task (\d+): (.+)$/.exec(line) ?? [];
          if (task === undefined) continue;
          const equal = Object.fromEntries(ids.split(' ').map((id) => [id, 'x']));
          script.tell(compared(equal, Number(task)));
        }
    };
    all(['a', 'b']);
    expect(script.state.scheduling.current?.isClosed).toBe(false);
    expect([...(script.state.scheduling.current?.open ?? [])].length).toBe(3);
    all(['local', 'a', 'b']);
    expect(script.state.scheduling.current?.isClosed).toBe(true);
  });

  it('is one confirmed answer of a member, however often it is compared', () => {
    const script = auditedTask();
    const [first, second] = assignees(script);
    for (const id of [first, second]) script.answers(id, 0, { from: 0, to: 1 }, 1);
    const confirmed = (): number[] =>
      [...script.state.membership.members.values()].map(({ standing }) => standing.confirmed);
    // A third answer, which was under way, is compared with both.
    for (let times = 0; times < 2; times++) script.tell(compared({ [first]: 'x', [second]: 'x' }));
    expect(confirmed()).toEqual([1, 1]);
  });

  it('counts unconfirmed when no other member could confirm it', () => {
    const script = new Script({ audit: AUDIT });
    script.joins('a');
    expect(script.answers('a', 0, ALL)).toEqual(['finish 0 with scalars 1: (3,0)@100']);
  });
});

describe('a step whose sums are not finite', () => {
  const broken = { kind: 'finished', metrics: [Number.NaN], isBroken: true } as const;

  /** `a` and `b` have answered one half each; nobody has confirmed either. */
  function summed(local: boolean): Script {
    const script = new Script({ minWorkers: 2, batch: 8, samples: 8, steps: 4 });
    script.joins('a', { rehearsed: true });
    script.joins('b', { local, rehearsed: true });
    script.answers('a', 0, { from: 0, to: 1 }, 2);
    script.answers('b', 0, { from: 1, to: 2 }, 2);
    return script;
  }

  it('is computed again with every answer confirmed before the run ends for it, and the member that is wrong is expelled', () => {
    const script = summed(true);
    const again = script.tell(broken);
    expect(again[0]).toBe(
      'notice the sums of step 0 are not finite: it is computed again, with every answer confirmed',
    );
    expect(again.filter((line) => line.includes(' <- work 0 '))).toEqual([
      'a <- work 0 [0,1)',
      'b <- work 0 [1,2)',
      'b <- work 0 [0,1)',
    ]);
    script.answers('a', 0, { from: 0, to: 1 }, 2);
    script.answers('b', 0, { from: 1, to: 2 }, 2);
    expect(script.answers('b', 0, { from: 0, to: 1 }, 2)).toEqual(['compare task 0: a b']);
    const lines = script.tell(compared({ a: 'nan', b: 'right' }));
    expect(lines).toContain(
      'drop a: its sums over the leaves 0 to 1 of step 0 are wrong, first in dense.weight',
    );
    expect(lines.at(-1)).toMatch(/^finish 0 /);
    expect(script.tell({ kind: 'finished', metrics: [1] })[0]).toMatch(/^record 1: /);
    expect(script.state.training.diverged).toBeUndefined();
  });

  it('ends the run when the second time every answer was confirmed', () => {
    const script = summed(true);
    script.tell(broken);
    script.answers('a', 0, { from: 0, to: 1 }, 2);
    script.answers('b', 0, { from: 1, to: 2 }, 2);
    script.answers('b', 0, { from: 0, to: 1 }, 2);
    script.tell(compared({ a: 'nan', b: 'nan' }));
    expect(script.tell(broken).at(-1)).toBe('complete diverged');
  });

  it('does not end the run because two members agree, where a local worker can be asked', () => {
    const script = new Script({ minWorkers: 2, batch: 4, samples: 4, steps: 4, audit: AUDIT });
    for (const id of ['a', 'c']) script.joins(id, { rehearsed: true });
    const range = { from: 0, to: 1 };
    for (const id of ['a', 'c']) script.answers(id, 0, range, 1);
    script.joins('b', { local: true });
    script.tell(compared({ a: 'nan', c: 'nan' }));
    // Confirmed by each other, and still not believed.
    const again = script.tell(broken);
    expect(again[0]).toMatch(/^notice the sums of step 0 are not finite: it is computed again/);
    const asked = again.flatMap((line) => /^(\w) <- work 0 /.exec(line)?.[1] ?? []);
    expect(asked).toContain('b');
    for (const id of asked) script.answers(id, 0, range, 1);
    const hashes = Object.fromEntries(asked.map((id) => [id, id === 'b' ? 'right' : 'nan']));
    if (asked.length > 1) script.tell(compared(hashes));
    expect(script.tell({ kind: 'finished', metrics: [1] })[0]).toMatch(/^record 1: /);
  });

  it('ends the run without local workers when most machines agree, and says so', () => {
    const script = new Script({ minWorkers: 3, batch: 4, samples: 4, steps: 4 });
    for (const id of ['a', 'b', 'c']) script.joins(id, { rehearsed: true });
    const range = { from: 0, to: 1 };
    const [first] = [...(script.state.scheduling.current?.held.keys() ?? [])] as [string];
    script.answers(first, 0, range, 1);
    const again = script.tell(broken);
    const asked = again.flatMap((line) => /^(\w) <- work 0 /.exec(line)?.[1] ?? []);
    expect(asked).toHaveLength(2);
    for (const id of asked) script.answers(id, 0, range, 1);
    script.tell(compared(Object.fromEntries(asked.map((id) => [id, 'nan']))));
    expect(script.tell(broken)).toEqual([
      'notice no computer of this run is trusted: that the sums of step 0 are not finite is what 2 or more machines say, the majority of those at work',
      'complete diverged',
    ]);
  });

  it('ends the run at once when local threads alone have computed it', () => {
    const script = new Script({});
    script.joins('a', { local: true });
    const ended = script.tell({ kind: 'executed', metrics: [], isBroken: true, elapsedMs: 1 });
    expect(ended.at(-1)).toBe('complete diverged');
  });
});
