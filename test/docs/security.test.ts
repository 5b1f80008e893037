import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';

const ROOT = join(import.meta.dirname, '../..');
const PAGE = readFileSync(join(ROOT, 'SECURITY.md'), 'utf8');
const UNITS: Readonly<Record<string, number>> = { '': 1, s: 1000, KiB: 2 ** 10, MiB: 2 ** 20 };

/** Rows of the table of bounds: the documented limit, and the file that has it. */
const BOUNDS = [...PAGE.matchAll(/^\| .* \| +(\d+) ?(\w*) +\|.*\| `(\w+)` in \[(.+)\]\((.+)\) +\|$/gm)].map(
  ([, number, unit = '', name = '', label = '', file = '']) => {
    const unitSize = UNITS[unit] ?? Number.NaN;
    return { name, label, file, most: Number(number) * unitSize };
  },
);

/** A constant's value: products and powers of numbers and of constants in the same file. */
function constantIn(source: string, name: string): number {
  const [, expression] = new RegExp(`const ${name} = ([^;]+);`).exec(source) ?? [];
  if (expression === undefined) throw new Error(`there is no ${name}`);
  return expression
    .split(/ \* /)
    .map((factor) => {
      if (/^[A-Z_]+$/.test(factor)) return constantIn(source, factor);
      const [base, exponent = 1] = factor.replaceAll('_', '').split(' ** ').map(Number);
      return (base as number) ** exponent;
    })
    .reduce((product, factor) => product * factor, 1);
}

it('lists a bound in each row of its table', () => {
  expect(BOUNDS.length).toBe(PAGE.match(/^\| .*` in \[/gm)?.length);
  expect(BOUNDS.length).toBeGreaterThan(20);
});

it.each(BOUNDS)('has the value that $name has in the code', ({ name, label, file, most }) => {
  expect(file.endsWith(`/${label}`)).toBe(true);
  expect(constantIn(readFileSync(join(ROOT, file), 'utf8'), name)).toBe(most);
});

it('names a test that holds it for each guarantee', () => {
  const [, guarantees = ''] = /\n## Guarantees\n(.*?)\n## /s.exec(PAGE) ?? [];
  const all = guarantees.split(/\n(?=- )/).slice(1);
  expect(all.length).toBeGreaterThan(20);
  expect(all.filter((one) => !/`test\/[\w./-]+\.test\.ts`/.test(one))).toEqual([]);
});

it('names files that exist, as the page on faults does', () => {
  const pages = PAGE + readFileSync(join(ROOT, 'docs/faults.md'), 'utf8');
  const files = [...pages.matchAll(/`([a-z]+\/[\w./-]+\.ts)`/g)].map(([, file]) => file as string);
  expect(files.length).toBeGreaterThan(10);
  for (const file of files) expect(readFileSync(join(ROOT, file), 'utf8').length, file).toBeGreaterThan(0);
});
