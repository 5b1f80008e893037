import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { MemoryFault } from '../../support/faulty-memory.js';
import { bisectHere, type Outcome, trainHere } from '../../support/in-process.js';
import { editLines } from '../../support/metrics.js';
import { smallData, writeFiles } from '../../support/process-data.js';
import { remakeRun } from '../../support/remade-run.js';

/* Two runs are compared. Each way to differ was put into one of them on purpose, and must be found where it was put. */
const ROOT = mkdtempSync(join(tmpdir(), 'unisum-bisect-'));
afterAll(() => rmSync(ROOT, { recursive: true }));

const at = (name: string): string => join(ROOT, name);
const IRIS = [
  'iris',
  '--schedule',
  'constant',
  '--workers',
  1,
  '--steps',
  40,
  '--leaf-size',
  4,
  '--keep-checkpoints',
  'all',
];
const EACH = Array.from({ length: 41 }, (_, step) => step);
const SOME = [0, 10, 20, 30, 40];

async function train(name: string, words: readonly (string | number)[]): Promise<void> {
  const { problem, text } = await trainHere([...words, '--run-dir', at(name)]);
  expect(problem, text).toBeUndefined();
}

async function compare(a: string, b: string, ...words: (string | number)[]): Promise<Outcome> {
  const outcome = await bisectHere([at(a), at(b), ...words]);
  expect(outcome.problem, outcome.text).toBeUndefined();
  return outcome;
}

const remake = (name: string, states: readonly number[], fault?: MemoryFault): Promise<void> =>
  remakeRun(at('honest'), at(name), states, fault);

beforeAll(async () => {
  await train('honest', [...IRIS]);
  await remake('right', EACH);
  await remake('sparse', SOME);
});

describe('bisect', () => {
  it('says of equal runs that they never part', async () => {
    const { result, text } = await compare('right', 'sparse');
    expect(result).toMatchObject({ parts: false, step: null, cause: 'none', differences: [] });
    expect(text).toContain('the runs never part: all recorded numbers of 40 steps are the same');
  });

  it('says of a shorter run how far they agree', async () => {
    await train('short', [...IRIS, '--steps', 30]);
    const { result, text } = await compare('right', 'short');
    expect(result).toMatchObject({ parts: false, steps: [40, 30] });
    expect(text).toContain('steps 40 in the first run, 30 in the second');
    expect(text).toContain(`${at('right')} goes on to step 40`);
  });

  it.each([
    { element: 3, leaf: 2, bit: 30, step: 23 },
    { element: 17, leaf: 3, bit: 22, step: 1 },
  ])('finds bit $bit that flipped in the sum of leaf $leaf, in step $step', async (fault) => {
    const name = `flipped-${fault.step}`;
    await remake(name, EACH, fault);
    const { result, text } = await compare('right', name);
    expect(result, text).toMatchObject({ parts: true, cause: 'fault', step: fault.step, differences: [] });
    const { faults } = result as { faults: { run: number; flip?: { op: string; flips: object[] } }[] };
    expect(faults.map(({ run }) => run)).toEqual([1]);
    expect(faults[0]?.flip?.op).toBe('dense');
    expect(faults[0]?.flip?.flips).toContainEqual(
      expect.objectContaining({ leaf: fault.leaf, bit: fault.bit }),
    );
    expect(text).toContain(`the runs part at step ${fault.step}, leaf `);
  });

  it('names a recorded loss that was altered, and says between which states weights went wrong', async () => {
    await remake('late', SOME, { step: 14, leaf: 0, element: 3, bit: 30 });
    const late = await compare('sparse', 'late');
    const [fault] = (late.result as { faults: { step: number; rightUntil: number }[] }).faults;
    expect(late.result).toMatchObject({ cause: 'fault', recomputedFrom: 10 });
    expect(fault).toMatchObject({ rightUntil: 10, parameters: [] });
    expect(fault?.step).toBeGreaterThanOrEqual(14);
    expect(late.text).toContain('it went wrong between step 11 and step');

    await remake('altered', EACH);
    editLines(join(at('altered'), 'metrics.jsonl'), (lines) =>
      lines.map((line) => (line.step === 7 && 'epoch' in line ? { ...line, loss: 0.5 } : line)),
    );
    const { result, text } = await compare('right', 'altered');
    expect(result).toMatchObject({ cause: 'fault', step: 7, faults: [{ run: 1, what: 'loss' }] });
    expect(text).toContain('records the loss of step 7 as 0.5; its settings compute ');
  });

  it('names a changed sample of the data: step, leaf and input', async () => {
    const files = smallData();
    const images = files['train-images-idx3-ubyte'].slice();
    // The first pixel of sample 100.
    images[16 + 100 * 784] = (images[16 + 100 * 784] as number) ^ 1;
    const words = ['mnist-mlp', '--workers', 1, '--steps', 16, '--batch', 64, '--leaf-size', 8];
    const data = writeFiles(at('data'), files);
    const other = writeFiles(at('other-data'), { ...files, 'train-images-idx3-ubyte': images });
    await train('digits', [...words, '--data', data]);
    await train('other-digits', [...words, '--data', other]);
    const { result, text } = await compare('digits', 'other-digits');
    expect(result, text).toMatchObject({
      ...{ parts: true, cause: 'leaf' },
      differences: [expect.stringMatching(/^data [0-9a-f]{64} in the first run, /)],
      leaf: { pass: 'data', op: 'input', sample: 100, at: [0, 0], samples: expect.arrayContaining([100]) },
    });
    const { step, leaf } = result as { step: number; leaf: { leaf: number; samples: number[] } };
    expect(leaf.samples).toHaveLength(8);
    expect(text).toContain(`the runs part at step ${step}, leaf ${leaf.leaf}, op input`);
    // One epoch is 8 steps: the sample was in exactly one of them.
    expect(step).toBeLessThanOrEqual(8);
  });

  it('names the update where settings of the optimizer differ, and the first weights where seeds do', async () => {
    await train('faster', [...IRIS, '--lr', 0.01]);
    const faster = await compare('right', 'faster');
    expect(faster.result, faster.text).toMatchObject({ cause: 'update', step: 1, recomputedFrom: 0 });
    expect(faster.text).toContain('in the update: the sums of all leaves are equal');
    await train('seeded', [...IRIS, '--seed', 5]);
    const seeded = await compare('right', 'seeded');
    expect(seeded.result, seeded.text).toMatchObject({ cause: 'begin', step: 0 });
    expect(seeded.text).toContain('their first weights differ');
    expect(seeded.text).toContain(
      'they were asked for different things: seed 0 in the first run, 5 in the second',
    );
  });

  it('compares runs that were resumed with other settings, and runs of other networks', async () => {
    await train('changed', [...IRIS, '--steps', 20]);
    const resumed = await trainHere(['--resume', at('changed'), '--steps', 40, '--lr', 0.001]);
    expect(resumed.problem, resumed.text).toBeUndefined();
    const { result, text } = await compare('sparse', 'changed');
    expect(result, text).toMatchObject({ cause: 'update', step: 21, recomputedFrom: 20 });
    expect(text).toMatch(/from step 21 on: learningRate/);
    expect((await compare('right', 'digits')).result).toMatchObject({ cause: 'settings', step: 0 });
  });

  it('refuses what is no run', async () => {
    const { problem } = await bisectHere([at('right'), ROOT]);
    expect(problem).toBe(`${ROOT} is not a run directory: config.json not found; name another`);
  });
});
