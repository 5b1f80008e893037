import { describe, expect, it } from 'vitest';
import { gridTrials, parseDimension, randomTrials } from '../../../scripts/sweep/search-space.js';
import { openSweepFolder, optionsText } from '../../../scripts/sweep/sweep-folder.js';
import { goalValue, ranked, rungEpochs, survivors, type TrialResult } from '../../../scripts/sweep/trials.js';
import { temporaryFolder } from '../../support/process.js';

const LOWEST_LOSS = { metric: undefined, isLargest: false };

function result(name: string, testLoss: number, state: TrialResult['state'] = 'finished'): TrialResult {
  return { name, options: {}, state, metrics: { trainLoss: 9, testLoss, testAccuracy: 1 - testLoss } };
}

describe('what a sweep varies', () => {
  it.each([
    ['lr=0.1,0.01', { option: 'lr', values: ['0.1', '0.01'] }],
    [
      'schedule=constant;cosine:warmup=1,floor=0.1',
      { option: 'schedule', values: ['constant', 'cosine:warmup=1,floor=0.1'] },
    ],
    ['lr=1e-4..0.1', { option: 'lr', from: 1e-4, to: 0.1, isLogarithmic: true }],
    ['ema=0..0.9:linear', { option: 'ema', from: 0, to: 0.9, isLogarithmic: false }],
  ])('%s', (text, dimension) => {
    expect(parseDimension(text)).toEqual(dimension);
  });

  it.each([
    ['lr', '--vary takes OPTION=VALUES'],
    ['workers=1,2', '--vary cannot vary "workers"'],
    ['leaf-sise=4', 'did you mean leaf-size?'],
    ['lr=0.1,,0.2', 'a value is empty'],
    ['lr=0.1,0.1', 'given twice'],
    ['lr=0.1..0.01', 'from a smaller to a larger'],
    ['lr=0..1', 'add :linear'],
  ])('refuses %s', (text, message) => {
    expect(() => parseDimension(text)).toThrow(message);
  });

  it('a grid has every combination, and refuses ranges and too many', () => {
    const [lr, batch] = [parseDimension('lr=1,2'), parseDimension('batch=8,16')];
    expect(gridTrials([lr, batch])).toEqual([
      { lr: '1', batch: '8' },
      { lr: '1', batch: '16' },
      { lr: '2', batch: '8' },
      { lr: '2', batch: '16' },
    ]);
    expect(() => gridTrials([parseDimension('lr=0.1..1')])).toThrow('--method random');
    const many = parseDimension(`seed=${Array.from({ length: 200 }, (_, i) => i).join(',')}`);
    expect(() => gridTrials([many, { ...many, option: 'batch' }])).toThrow('more than 10000');
  });

  it('random trials are the same for a seed, different ones for another, and within their ranges', () => {
    const dimensions = [parseDimension('lr=0.0001..0.1'), parseDimension('batch=8,16')];
    const trials = randomTrials(dimensions, 200, 7);
    expect(randomTrials(dimensions, 200, 7)).toEqual(trials);
    expect(randomTrials(dimensions, 200, 8)).not.toEqual(trials);
    const rates = trials.map(({ lr }) => Number(lr));
    expect(rates.every((rate) => rate >= 1e-4 && rate <= 0.1)).toBe(true);
    // On a logarithmic scale, a third lies in each decade.
    const low = rates.filter((rate) => rate < 1e-3).length / rates.length;
    expect(low).toBeGreaterThan(0.2);
    expect(low).toBeLessThan(0.47);
    expect(new Set(trials.map(({ batch }) => batch))).toEqual(new Set(['8', '16']));
    // What was drawn before is not trained again.
    expect(randomTrials([parseDimension('batch=8,16')], 50, 1)).toHaveLength(2);
  });
});

describe('the ranking of trials', () => {
  it('has the best first, and those without a value last', () => {
    const results = [
      result('a', 0.5),
      result('b', Number.NaN),
      result('c', 0.2),
      result('d', 0.1, 'diverged'),
    ];
    expect(ranked(results, LOWEST_LOSS).map(({ name }) => name)).toEqual(['c', 'a', 'b', 'd']);
    const best = { metric: 'testAccuracy', isLargest: true };
    expect(ranked(results, best)[0]?.name).toBe('c');
    expect(ranked(results, { metric: 'testLoss', isLargest: true })[0]?.name).toBe('a');
    expect(goalValue({ ...result('a', 1), metrics: { trainLoss: 3 } }, LOWEST_LOSS)).toBe(3);
  });

  it('successive halving lengthens runs and lets the best go on', () => {
    expect(rungEpochs(27, 27, 3)).toEqual([3, 9, 27]);
    expect(rungEpochs(4, 100, 3)).toEqual([1, 4]);
    expect(rungEpochs(10, 2, 3)).toEqual([10]);
    const trials = ['a', 'b', 'c', 'd'].map((lr, index) => ({ index, options: { lr } }));
    const results = [result('a', 0.4), result('b', 0.1), result('c', 0.2, 'failed'), result('d', 0.3)];
    expect(survivors(trials, results, LOWEST_LOSS, 2).map(({ index }) => index)).toEqual([1, 3]);
    expect(survivors(trials, results, LOWEST_LOSS, 9).map(({ index }) => index)).toEqual([1]);
  });
});

describe('the directory of a sweep', () => {
  it('is continued by the same sweep, and refused to another', async () => {
    const folder = temporaryFolder();
    expect(await openSweepFolder(folder, 'one')).toBe(false);
    expect(await openSweepFolder(folder, 'one')).toBe(true);
    await expect(openSweepFolder(folder, 'two')).rejects.toThrow('--sweep-dir');
  });

  it('writes options as they are typed', () => {
    expect(optionsText({ lr: '0.1', data: 'my file.csv' })).toBe("--lr 0.1 --data 'my file.csv'");
  });
});
