import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Receipt } from '../../../trainer/receipt/receipt-format.js';
import { receiptHere, trainHere, verifyHere } from '../../support/in-process.js';
import { remakeRun } from '../../support/remade-run.js';

/*
 * A receipt is verified by computing the run again. A forger may write whatever it likes into one, but has not computed it:
 * each forgery must be refused, for the reason that it is made for.
 */
const ROOT = mkdtempSync(join(tmpdir(), 'unisum-receipt-'));
afterAll(() => rmSync(ROOT, { recursive: true }));

const at = (name: string): string => join(ROOT, name);
const FILE = at('receipt.json');
const IRIS = ['iris', '--workers', 1, '--steps', 24];
const OTHER_HASH = '1'.repeat(64);

type Mutable<T> = T extends object ? { -readonly [K in keyof T]: Mutable<T[K]> } : T;

async function train(words: readonly (string | number)[]): Promise<void> {
  const { problem, text } = await trainHere(words);
  expect(problem, text).toBeUndefined();
}

async function makeReceipt(name: string, file: string): Promise<Receipt> {
  const { problem, text } = await receiptHere([at(name), '--out', file]);
  expect(problem, text).toBeUndefined();
  return JSON.parse(readFileSync(file, 'utf8')) as Receipt;
}

let receipt: Receipt;

beforeAll(async () => {
  await train([...IRIS, '--run-dir', at('trained')]);
  await remakeRun(at('trained'), at('run'), [0, 8, 16, 24]);
  receipt = await makeReceipt('run', FILE);
});

/** Writes an altered copy of the honest receipt, and verifies it. */
async function verifyAltered(alter: (copy: Mutable<Receipt>) => void, ...words: string[]) {
  const copy = structuredClone(receipt) as Mutable<Receipt>;
  alter(copy);
  writeFileSync(at('altered.json'), JSON.stringify(copy));
  return verifyHere([at('altered.json'), ...words]);
}

describe('a receipt', () => {
  it('is small, and is proven by computing the run again, without its directory', async () => {
    expect(readFileSync(FILE).length).toBeLessThan(16_384);
    expect(receipt.states.map(({ step }) => step)).toEqual([0, 8, 16, 24]);
    const { result, problem, text } = await verifyHere([FILE]);
    expect(problem, text).toBeUndefined();
    expect(result).toMatchObject({
      ...{ ok: true, mode: 'full', steps: 24, checkedSteps: 24, missProbability: 0 },
      weightsSha256: receipt.end.weightsSha256,
    });
    expect(text).toContain(
      'all 24 steps were replayed from the weights drawn from seed 0: 3 evaluations and 5 hashes',
    );
    expect(text).toContain(`the weights after step 24 have the SHA-256 ${receipt.end.weightsSha256}`);
    expect(text).toContain('  - the record that the receipt names by its hash');
    expect(text).not.toContain('weights.safetensors holds');
  });

  it('is proven by a sample with the states of a copy of the run, if they have its hashes', async () => {
    const { result, problem, text } = await verifyHere([FILE, '--sample', 1, '--checkpoints', at('run')]);
    expect(problem, text).toBeUndefined();
    expect(result).toMatchObject({ ok: true, mode: 'sampled' });
    const without = await verifyHere([FILE, '--sample', 1]);
    expect(without.problem).toMatch(/has the hashes of states, not the states; name a copy of the run/);
    const altered = await verifyAltered(
      (copy) => {
        for (const state of copy.states) state.sha256 = OTHER_HASH;
      },
      ...['--sample', '1', '--checkpoints', at('run')],
    );
    expect(altered.problem).toMatch(/is not the one that was recorded|the state after it is/);
  });

  it('is proven of runs that were resumed with other settings, stopped early, or diverged', async () => {
    await train([...IRIS, '--run-dir', at('resumed')]);
    await train(['--resume', at('resumed'), '--lr', 0.001, '--steps', 32]);
    const early = ['--steps', 200, '--lr', 0.2, '--evaluate-every', 4, '--early-stopping', 3];
    await train([...IRIS, ...early, '--run-dir', at('stopped')]);
    const diverged = await trainHere([
      ...IRIS,
      '--optimizer',
      'sgd',
      '--lr',
      1e38,
      '--run-dir',
      at('diverged'),
    ]);
    expect(diverged.problem).toContain('diverged');
    for (const name of ['resumed', 'stopped', 'diverged']) {
      const { end } = await makeReceipt(name, at(`${name}.json`));
      const { result, problem, text } = await verifyHere([at(`${name}.json`)]);
      expect(problem, text).toBeUndefined();
      expect(result, text).toMatchObject({
        ok: true,
        exitReason: end.reason,
        weightsSha256: end.weightsSha256,
      });
    }
  });

  it('proves nothing of what is told', async () => {
    const { result, text } = await verifyAltered(({ told }) => {
      told.members = ['ada'];
      told.events = { expelled: 2 };
      told.recordSha256 = OTHER_HASH;
    });
    expect(result).toMatchObject({ ok: true });
    expect(text).toMatch(/not proven:\n(.*\n)*.*who computed what/);
  });

  it('refuses a run that has not ended, and a file that is no receipt', async () => {
    writeFileSync(at('nothing.json'), '{}');
    expect((await verifyHere([at('nothing.json')])).problem).toContain(
      'is no receipt of this version of unisum',
    );
    expect((await verifyHere([at('run'), '--checkpoints', at('run')])).problem).toContain('leave it out');
    const lines = readFileSync(join(at('run'), 'metrics.jsonl'), 'utf8')
      .trimEnd()
      .split('\n');
    writeFileSync(join(at('trained'), 'metrics.jsonl'), `${lines.slice(0, -1).join('\n')}\n`);
    const { problem } = await receiptHere([at('trained')]);
    expect(problem).toContain('has not ended: it is still running, or was killed');
  });
});

interface Forgery {
  readonly what: string;
  readonly alter: (copy: Mutable<Receipt>) => void;
  readonly refusedFor: RegExp;
}

const FORGERIES: readonly Forgery[] = [
  {
    what: 'weights that nobody computed',
    alter: ({ end }) => Object.assign(end, { weightsSha256: OTHER_HASH }),
    refusedFor: /differs at step 24: the weights after it are .* and were recorded as 1111/,
  },
  {
    what: 'no weights at all',
    alter: ({ end }) => Object.assign(end, { weightsSha256: null }),
    refusedFor: /the final weights differ/,
  },
  {
    what: 'a state that nobody computed',
    alter: ({ states }) => Object.assign(states[1] as object, { sha256: OTHER_HASH }),
    refusedFor: /differs at step 8: the state after it/,
  },
  {
    what: 'weights on the way that nobody computed',
    alter: ({ states }) => Object.assign(states[1] as object, { weightsSha256: OTHER_HASH }),
    refusedFor: /differs at step 8: the weights after it/,
  },
  {
    what: 'a state moved to another step',
    alter: ({ states }) => Object.assign(states[1] as object, { step: 9 }),
    refusedFor: /differs at step 9: /,
  },
  {
    what: 'a better evaluation',
    alter: ({ evaluations }) => Object.assign(evaluations[2]?.metrics as object, { testAccuracy: 1 }),
    refusedFor: /differs at step 24: the testAccuracy after it/,
  },
  {
    what: 'an evaluation left out',
    alter: ({ evaluations }) => void evaluations.splice(1, 1),
    refusedFor: /evaluation that is due after it is missing/,
  },
  {
    what: 'an evaluation too many',
    alter: ({ evaluations }) => void evaluations.push({ step: 9, metrics: { testLoss: 0 } }),
    refusedFor: /evaluates step 9, but no evaluation is due/,
  },
  {
    what: 'a metric that the recipe did not measure',
    alter: ({ end }) => Object.assign(end, { measured: { f1: 1 } }),
    refusedFor: /f1 measured in the end is missing/,
  },
  {
    what: 'fewer steps that are called finished',
    alter: (copy) => {
      copy.end.step = 16;
      copy.states.pop();
      copy.evaluations.pop();
      copy.end.weightsSha256 = copy.states[2]?.weightsSha256 as string;
    },
    refusedFor: /finished at step 16/,
  },
  {
    what: 'an end of another kind',
    alter: ({ end }) => Object.assign(end, { reason: 'stopped' }),
    refusedFor: /differs at step 24: the replay ends after it/,
  },
  {
    what: 'a run that is said to have diverged',
    alter: ({ end }) => Object.assign(end, { reason: 'diverged', divergence: 'step', weightsSha256: null }),
    refusedFor: /differs at step 24: the replay ends after it/,
  },
  {
    what: 'best weights that were not restored',
    alter: ({ end, states }) => Object.assign(end, { restored: 8, weightsSha256: states[1]?.weightsSha256 }),
    refusedFor: /differs at step 24: the replay ends with the weights of step 24/,
  },
  {
    what: 'another learning rate in the settings',
    alter: ({ sessions }) => Object.assign(sessions[0]?.settings as object, { learningRate: 1 }),
    refusedFor: /the receipt records other settings: learningRate/,
  },
  {
    what: 'another seed, in options and settings alike',
    alter: ({ sessions }) => {
      Object.assign(sessions[0]?.settings as object, { seed: 3 });
      Object.assign(sessions[0]?.options as object, { seed: '3' });
    },
    refusedFor: /differs at step \d+: the \w+ after it/,
  },
  {
    what: 'a recipe file that would be run',
    alter: ({ sessions }) => Object.assign(sessions[0] as object, { recipe: './evil.ts' }),
    refusedFor: /is a file with code; if you trust it, add --recipe FILE/,
  },
  {
    what: 'other data',
    alter: ({ sessions }) => Object.assign(sessions[0]?.settings as object, { data: OTHER_HASH }),
    refusedFor: /the receipt records other settings: data/,
  },
  {
    what: 'other test data',
    alter: ({ sessions }) => Object.assign(sessions[0] as object, { testData: OTHER_HASH }),
    refusedFor: /the receipt records other test data/,
  },
  {
    what: 'first weights of its own',
    alter: ({ sessions }) => Object.assign(sessions[0] as object, { weights: OTHER_HASH }),
    refusedFor: /disagree about its initial weights/,
  },
  {
    what: 'a session that begins with a state out of nowhere',
    alter: ({ sessions, states }) =>
      Object.assign(sessions[0] as object, {
        from: 8,
        state: { sha256: states[1]?.sha256, weightsSha256: OTHER_HASH },
      }),
    refusedFor: /the receipt contradicts itself: session 1 begins at step 8/,
  },
  {
    what: 'a second session with an invented state before the end',
    alter: ({ sessions }) => {
      const state = { sha256: OTHER_HASH, weightsSha256: OTHER_HASH };
      sessions.push({ ...(sessions[0] as Mutable<Receipt>['sessions'][number]), from: 16, state });
    },
    refusedFor: /differs at step 16: the weights after it/,
  },
  {
    what: 'a second session behind the end',
    alter: ({ sessions, states }) =>
      void sessions.push({
        ...(sessions[0] as Mutable<Receipt>['sessions'][number]),
        ...{ from: 24, state: { sha256: OTHER_HASH, weightsSha256: states[3]?.weightsSha256 as string } },
      }),
    refusedFor: /differs at step 24: the state after it/,
  },
  {
    what: 'states that are not in order',
    alter: ({ states }) => void states.reverse(),
    refusedFor: /its states are not in order/,
  },
  {
    what: 'a field that no receipt has',
    alter: (copy) => Object.assign(copy, { proven: true }),
    refusedFor: /is no receipt of this version/,
  },
  {
    what: 'more steps than memory holds',
    alter: ({ end }) => Object.assign(end, { step: 2 ** 40 }),
    refusedFor: /is no receipt of this version/,
  },
];

describe('a forged receipt', () => {
  it.each(FORGERIES)('is refused: $what', async ({ alter, refusedFor }) => {
    const { problem, result } = await verifyAltered(alter);
    expect(problem).toMatch(refusedFor);
    expect(problem).toMatch(/altered\.json is not proven: /);
    expect(result).toMatchObject({ ok: false });
  });
});
