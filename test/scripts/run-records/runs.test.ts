import { appendFileSync, existsSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { Lease } from '../../../coordinator/storage/lease.js';
import { cleanedKind, removableRuns, removeRun } from '../../../scripts/run-records/cleaning.js';
import { compareRuns } from '../../../scripts/run-records/comparison.js';
import { readRuns } from '../../../scripts/run-records/run-list.js';
import { readRun } from '../../../scripts/run-records/run-record.js';
import { comparisonLines, listLines } from '../../../scripts/run-records/run-text.js';
import { systemClock } from '../../../shared/actor/clock.js';
import { temporaryFolder } from '../../support/process.js';
import { begun, ended, evaluation, HASH, saved, step, writeRun } from './run-folders.js';

const WHOLE = [
  begun(),
  ...[step(1, 3), step(2, 2), evaluation(2, 0.5), saved(2, 'a')],
  ...[step(3, 1), step(4, 1), evaluation(4, 0.75), ended(4, 'finished', 'b')],
];

describe('the record of a run', () => {
  it('has steps, evaluations, the best one, hashes and how it ended', async () => {
    const run = await readRun(await writeRun(temporaryFolder(), 'r', WHOLE));
    expect(run).toMatchObject({
      ...{ name: 'r', state: 'finished', steps: 4, weightsSha256: HASH('b'), notes: [] },
      ...{ best: { step: 2, metrics: { testLoss: 0.5 } }, final: { testLoss: 0.75 } },
      hashes: [
        { step: 2, weightsSha256: HASH('a') },
        { step: 4, weightsSha256: HASH('b') },
      ],
    });
    expect(run.course.map(({ means }) => means.loss)).toEqual([3, 2, 1, 1]);
  });

  it('leaves out what was taken back, and counts it', async () => {
    const back = { event: 'rolled-back', step: 2, to: 1, member: 'eve', since: 1 };
    const lines = [begun(), step(1, 3, 2), step(2, 9, 2), evaluation(2, 0.1), back, step(2, 2, 1)];
    const run = await readRun(await writeRun(temporaryFolder(), 'r', lines));
    expect(run.course.map(({ means, workers }) => [means.loss, workers])).toEqual([
      [3, 2],
      [2, 1],
    ]);
    expect(run).toMatchObject({ state: 'killed', evaluations: [], takenBack: 1, best: undefined });
    expect(run.events).toEqual([
      { step: 2, event: 'rolled-back', details: { to: 1, member: 'eve', since: 1 } },
    ]);
  });

  it('says where a record is damaged, and that a process writes to it', async () => {
    const path = await writeRun(temporaryFolder(), 'r', [begun(), step(1, 3)]);
    appendFileSync(join(path, 'metrics.jsonl'), '{"step":2}\n');
    expect((await readRun(path)).notes).toEqual([
      'line 3 of metrics.jsonl and what follows it are left out: it is not an object with a hash',
    ]);
    const lease = Lease.take(path, systemClock);
    try {
      expect((await readRun(path)).state).toBe('running');
    } finally {
      lease.release();
    }
  });
});

describe('the list of runs', () => {
  it('has the latest first, names what it cannot read, and follows no link', async () => {
    const folder = temporaryFolder();
    await writeRun(folder, 'old', WHOLE, '2026-01-01T00:00:00.000Z');
    const path = await writeRun(folder, 'new', [begun(), step(1, 3)], '2026-02-01T00:00:00.000Z');
    await writeRun(folder, 'odd', [begun(), step(2, 3)]);
    symlinkSync(path, join(folder, 'link'));
    const { runs, unreadable } = await readRuns(folder);
    expect(runs.map(({ name }) => name)).toEqual(['new', 'old']);
    expect(unreadable).toEqual([
      { path: join(folder, 'odd'), why: 'line 2 of metrics.jsonl is step 2; step 1 was expected' },
    ]);
    const [heading = '', first = '', second = ''] = listLines(runs);
    expect(heading).toMatch(/^run +recipe +state +steps +best metric +started +weights$/);
    expect(first).toMatch(/^new +iris +killed +1\/4 +- +2026-02-01 00:00 +-$/);
    expect(second).toMatch(/^old +iris +finished +4\/4 +testLoss 0\.5000 +2026-01-01 00:00 +bbbbbbbbbbbb$/);
  });
});

describe('a comparison of runs', () => {
  it('names the settings that differ, and the step at which numbers and weights part', async () => {
    const folder = temporaryFolder();
    const other = [
      begun({ learningRate: 0.25 }),
      ...[step(1, 3, 5), step(2, 2), saved(2, 'a'), step(3, 1.5), ended(3, 'stopped', 'c')],
    ];
    const a = await readRun(
      await writeRun(folder, 'a', [...WHOLE.slice(0, 5), saved(0, '0'), ...WHOLE.slice(5)]),
    );
    const b = await readRun(await writeRun(folder, 'b', other));
    const compared = compareRuns([a, b]);
    expect(compared.settings).toEqual([{ name: 'learningRate', values: ['0.5', '0.25'] }]);
    expect(compared.otherSettings).toEqual([]);
    expect(compared.metrics).toContainEqual({ name: 'testLoss', values: [0.75, undefined] });
    expect(compared.partings).toEqual([
      {
        ...{ runs: ['a', 'b'], areWeightsEqual: false, numbersEqualTo: 2, numbersPartAt: 3 },
        ...{ hashesEqualAt: 2, hashesPartAt: undefined },
      },
    ]);
    expect(comparisonLines(compared)).toContain(
      '  the recorded numbers differ first at step 3; step 2 is the last that agrees',
    );
    // A run that was evaluated more often has the same numbers.
    expect(compareRuns([a, { ...a, evaluations: [] }]).partings[0]).toMatchObject({
      ...{ areWeightsEqual: true, numbersEqualTo: 4, numbersPartAt: undefined, hashesEqualAt: 4 },
    });
  });
});

describe('cleaning', () => {
  it.each([
    ['running', 0, undefined],
    ['killed', 0, 'untrained'],
    ['killed', 5, undefined],
    ['interrupted', 5, undefined],
    ['finished', 5, 'finished'],
    ['stopped', 5, 'finished'],
    ['diverged', 5, 'diverged'],
  ] as const)('of a run that is %s after %i steps: %s', (state, steps, kind) => {
    expect(cleanedKind({ state, steps })).toBe(kind);
  });

  it('removes what was asked for, keeps files of others, and refuses a run in use', async () => {
    const folder = temporaryFolder();
    const done = await writeRun(folder, 'done', WHOLE);
    const noted = await writeRun(folder, 'noted', WHOLE);
    await writeRun(folder, 'empty', [begun()]);
    writeFileSync(join(noted, 'notes.txt'), 'mine');
    const { runs } = await readRuns(folder);
    const removable = await removableRuns(runs, ['finished']);
    expect(removable.map(({ path, foreign }) => [path, foreign])).toEqual([
      [done, []],
      [noted, ['notes.txt']],
    ]);
    const lease = Lease.take(done, systemClock);
    await expect(removeRun(removable[0]!, systemClock)).rejects.toThrow('is in use by process');
    lease.release();
    for (const run of removable) await removeRun(run, systemClock);
    expect(existsSync(done)).toBe(false);
    expect(existsSync(join(noted, 'notes.txt'))).toBe(true);
    expect(existsSync(join(noted, 'metrics.jsonl'))).toBe(false);
    expect((await readRuns(folder)).runs.map(({ name }) => name)).toEqual(['empty']);
  });
});
