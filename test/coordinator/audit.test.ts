import { describe, expect, it } from 'vitest';
import { Script } from './script.js';

const ALL = { from: 0, to: 8 };
const AUDIT = { fraction: 1, seed: 1 };

function compared(of: Record<string, string>, task = 0): Parameters<Script['tell']>[0] {
  const hashes = Object.entries(of).map(([memberId, hash]) => ({ memberId, hash }));
  const differ = hashes.some(({ hash }) => hash !== hashes[0]?.hash);
  return { kind: 'compared', step: 0, task, hashes, parameter: differ ? 'dense.weight' : undefined };
}

/** Work of `a` that `b` is given as well; both have answered. */
function bothAnswered(local = false): Script {
  const script = new Script({ minWorkers: 2, batch: 4, samples: 4, audit: AUDIT });
  script.joins('a');
  script.joins('b', { local });
  return script;
}

/** Who was given the task: the first by assignment, the second to confirm it. */
function holders({ state }: Script): [string, string] {
  return [...(state.round?.held.keys() ?? [])] as [string, string];
}

describe('audited work', () => {
  it('is given to a second member as well, and counts when both came to the same bits', () => {
    const script = bothAnswered();
    const range = { from: 0, to: 1 };
    const [first, second] = holders(script);
    expect(script.answers(first, 0, range, 1)).toEqual([]);
    expect(script.answers(second, 0, range, 1)).toEqual([`compare task 0: ${first} ${second}`]);
    expect(script.tell(compared({ [first]: 'x', [second]: 'x' }))).toEqual([
      'release 101',
      'finish 0 with scalars 1: (0,0)@100',
    ]);
  });

  it('that differs is given to a third; who stands alone is expelled with a receipt', () => {
    const script = bothAnswered();
    const range = { from: 0, to: 1 };
    const [first, second] = holders(script);
    script.answers(first, 0, range, 1);
    script.answers(second, 0, range, 1);
    // There is no third: the run waits for one.
    expect(script.tell(compared({ [first]: 'wrong', [second]: 'right' }))).toEqual([
      'notice two members differ over the leaves 0 to 1 of step 0: a third is asked',
    ]);
    expect(script.joins('c')).toEqual(['notice c joined (wasm); 3 at work', 'c <- work 0 [0,1) + weights']);
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

  it("is decided by the coordinator's own machine, where that has done it", () => {
    const script = bothAnswered(true);
    const range = { from: 0, to: 1 };
    expect(script.state.round?.held.get('a')).toBeDefined();
    script.answers('a', 0, range, 1);
    script.answers('b', 0, range, 1);
    const effects = script.tell(compared({ a: 'wrong', b: 'right' }));
    expect(effects).toContain(
      'drop a: its sums over the leaves 0 to 1 of step 0 are wrong, first in dense.weight',
    );
    expect(effects.at(-1)).toBe('finish 0 with scalars 1: (0,0)@101');
  });

  it('counts as it is where nobody else is there who could confirm it', () => {
    const script = new Script({ audit: AUDIT });
    script.joins('a');
    expect(script.answers('a', 0, ALL)).toEqual(['finish 0 with scalars 1: (3,0)@100']);
  });
});
