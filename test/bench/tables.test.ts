import { describe, expect, it } from 'vitest';
import { machineFacts } from '../../scripts/bench/machine-facts.js';
import { timeStats } from '../../scripts/bench/time-stats.js';
import { formatNumber, textTable } from '../../scripts/terminal/text-table.js';

describe('a table of text', () => {
  it('has the first column flush left, the others flush right, and no blanks at the end', () => {
    const columns = [
      { heading: 'name', cell: ({ name }: { name: string }) => name },
      { heading: 'us', cell: ({ name }: { name: string }) => String(name.length) },
      { heading: '', cell: () => '' },
    ];
    expect(textTable(columns, [{ name: 'a' }, { name: 'much longer' }])).toEqual([
      'name         us',
      'a             1',
      'much longer  11',
    ]);
  });

  it('shows about three digits of a number, and a dash for none', () => {
    expect([1234.5, 99.96, 9.876, -0.5, undefined].map(formatNumber)).toEqual([
      '1235',
      '100.0',
      '9.88',
      '-0.50',
      '-',
    ]);
  });
});

describe('several measurements', () => {
  it('have a median and a fastest one', () => {
    expect(timeStats([5, 1, 9])).toEqual({ median: 5, fastest: 1, slowest: 9 });
    expect(timeStats([4, 1, 9, 2])).toEqual({ median: 3, fastest: 1, slowest: 9 });
    expect(() => timeStats([])).toThrow('at least one');
  });

  it('name the machine', () => {
    const facts = machineFacts();
    expect(Object.keys(facts)).toEqual(['cpu', 'cores', 'node', 'os', 'load']);
    expect(facts.node).toBe(process.versions.node);
    expect(facts.cores).toBeGreaterThan(0);
  });
});
