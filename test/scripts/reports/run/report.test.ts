import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { chartOf, POINTS_MAX, type Point, thinned } from '../../../../scripts/reports/run/curves.js';
import { gradientNorms } from '../../../../scripts/reports/run/gradient-norms.js';
import { learningRates } from '../../../../scripts/reports/run/learning-rates.js';
import { comparisonPage, listPage, runPage, writeRunReport } from '../../../../scripts/reports/run/report.js';
import { compareRuns } from '../../../../scripts/run-records/comparison.js';
import { readRuns } from '../../../../scripts/run-records/run-list.js';
import { readRun } from '../../../../scripts/run-records/run-record.js';
import { reduceOnPlateau } from '../../../../shared/optim/plateau.js';
import { stepDecay } from '../../../../shared/optim/schedule.js';
import { temporaryFolder } from '../../../support/process.js';
import { begun, ended, evaluation, step, writeRun } from '../../run-records/run-folders.js';

describe('curves', () => {
  it('of many points are means of neighbours, without what is not finite', () => {
    const points = Array.from({ length: 2 * POINTS_MAX }, (_, i): Point => [i + 1, i % 2]);
    const few = thinned([...points, [9999, Number.NaN]]);
    expect(few).toHaveLength(POINTS_MAX);
    expect(few[0]).toEqual([2, 0.5]);
    expect(chartOf('a', [{ label: 'b', points }]).note).toBe('Each point is the mean of 2 steps.');
  });

  it('share the steps of their chart; a logarithmic scale has no 0', () => {
    const curves = [
      { label: 'a', points: [[1, 5] as const, [3, 0] as const] },
      { label: 'b', points: [[2, 6] as const] },
      { label: 'none', points: [] },
    ];
    const chart = chartOf('t', curves, { isLogarithmic: true });
    expect(chart.x).toEqual([1, 2]);
    expect(chart.curves.map(({ label, values }) => [label, values])).toEqual([
      ['a', [5, null]],
      ['b', [null, 6]],
    ]);
  });
});

describe('the learning rates of a run', () => {
  it('follow the schedule, and other settings after a resume', async () => {
    const settings = { steps: 4, learningRate: 1, schedule: stepDecay({ every: 1, factor: 0.5 }) };
    const state = { sha256: 'a'.repeat(64), weightsSha256: 'b'.repeat(64) };
    const { format: _, ...origin } = begun({ ...settings, learningRate: 8 });
    const resumed = { ...origin, event: 'resumed', step: 2, state };
    const lines = [begun(settings), step(1, 1), step(2, 1), resumed, step(3, 1), step(4, 1)];
    const run = await readRun(await writeRun(temporaryFolder(), 'r', lines));
    expect(learningRates(run)).toEqual([
      [1, 1],
      [2, 0.5],
      [3, 2],
      [4, 1],
    ]);
  });

  it('fall when evaluations stop improving, as the run itself does', async () => {
    const schedule = reduceOnPlateau({ patience: 1, factor: 0.5 });
    const lines = [
      begun({ learningRate: 1, schedule }),
      ...[step(1, 1), evaluation(1, 0.5), step(2, 1), evaluation(2, 0.5), step(3, 1)],
    ];
    const run = await readRun(await writeRun(temporaryFolder(), 'r', lines));
    expect(learningRates(run).map(([, rate]) => rate)).toEqual([1, 1, 0.5]);
  });

  it('are those of the optimizer steps where a step is a round', async () => {
    const settings = { steps: 2, learningRate: 1, schedule: stepDecay({ every: 1, factor: 0.5 }) };
    const lines = [begun({ ...settings, sync: { replicas: 2, steps: 3 } }), step(1, 1), step(2, 1)];
    const run = await readRun(await writeRun(temporaryFolder(), 'r', lines));
    expect(learningRates(run).map(([, rate]) => rate)).toEqual([1, 0.125]);
  });
});

describe('the page of a run', () => {
  it('has charts of losses, metrics, rate, gradients and members, and tables', async () => {
    const expelled = { event: 'expelled', step: 1, member: '</script><b>eve' };
    const lines = [
      begun(),
      step(1, 2),
      expelled,
      step(2, 1, 3),
      evaluation(2, 0.5),
      ended(2, 'finished', 'a'),
    ];
    const path = await writeRun(temporaryFolder(), 'r', lines);
    const layer = (name: string, norm: number) => ({ name, parameters: [{ gradientNorm: norm }] });
    writeFileSync(
      join(path, 'gradients.jsonl'),
      `${JSON.stringify({ step: 0, layers: [layer('dense', 3), layer('dense_1', 4)] })}\nnot JSON\n`,
    );
    const norms = await gradientNorms(path);
    expect(norms[0]).toEqual({ label: 'all parameters', points: [[1, 5]] });
    const page = runPage(await readRun(path), norms);
    expect(page.charts.map(({ title, curves }) => [title, curves.map(({ label }) => label)])).toEqual([
      ['Loss', ['training', 'test']],
      ['Learning rate', ['rate']],
      ['Gradient norms', ['all parameters', 'dense', 'dense_1']],
      ['Members', ['members']],
    ]);
    expect(page.charts.at(-1)?.curves[0]?.values).toEqual([1, 3]);
    expect(page.tables.map(({ title }) => title)).toContain('Events');
    const html = readFileSync(await writeRunReport(path), 'utf8');
    expect(html).toContain('"title":"r"');
    // Names come from other machines: they must not become part of the page.
    expect(html).not.toContain('</script><b>eve');
    expect(html).not.toMatch(/(src|href)="http|url\(http/);
    expect(html).not.toMatch(/\/\* (chart|charts|design|data|page)[a-z ]* \*\//);
  });

  it('of several runs has a curve of each', async () => {
    const folder = temporaryFolder();
    const runs = [
      await readRun(await writeRun(folder, 'a', [begun(), step(1, 2), evaluation(1, 1)])),
      await readRun(await writeRun(folder, 'b', [begun({ seed: 1 }), step(1, 3)])),
    ];
    const page = comparisonPage(compareRuns(runs));
    expect(page.charts.map(({ title, curves }) => [title, curves.map(({ label }) => label)])).toEqual([
      ['Loss, training', ['a', 'b']],
      ['Loss, test', ['a']],
      ['Learning rate', ['a', 'b']],
      ['Members', ['a', 'b']],
    ]);
    expect(page.tables[0]).toMatchObject({ title: 'Settings that differ', rows: [['seed', '0', '1']] });
  });

  it('of a folder has a row of each run, the curves of the latest ones, and the settings that differ', async () => {
    const folder = temporaryFolder();
    for (let i = 0; i < 10; i++) {
      const more = i === 9 ? [] : [evaluation(1, 10 - i), ended(1, 'finished', 'a')];
      await writeRun(folder, `run-${i}`, [begun({ seed: i }), step(1, 2), ...more]);
    }
    const page = listPage('folder', await readRuns(folder), []);
    expect(page.title).toBe('10 runs in folder');
    expect(page.lines).toEqual(['The charts show the latest 8 runs.']);
    expect(page.charts.map(({ title, curves }) => [title, curves.length])).toEqual([
      ['Loss, training', 8],
      ['Loss, test', 8],
    ]);
    const [table, settings] = page.tables;
    expect(table?.columns).toEqual([
      ...['run', 'recipe', 'state', 'steps', 'testLoss', 'best loss', 'started', 'weights'],
    ]);
    expect(table?.rows.find(([name]) => name === 'run-3')?.slice(2, 6)).toEqual(['finished', '1', '7', '7']);
    expect(table?.rows.find(([name]) => name === 'run-9')?.slice(2, 6)).toEqual(['killed', '1', '–', '–']);
    expect(settings).toMatchObject({ title: 'Settings that differ', columns: ['run', 'seed'] });
    expect(settings?.rows.map(([name, seed]) => `run-${seed}` === name)).toEqual(Array(10).fill(true));
  });
});
