import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';

const ROOT = join(import.meta.dirname, '../..');
const PAGE = readFileSync(join(ROOT, 'SECURITY.md'), 'utf8');
const UNITS: Readonly<Record<string, number>> = { '': 1, s: 1000, KiB: 2 ** 10, MiB: 2 ** 20 };

/** Rows of the table of bounds: what is written, and where it is kept. */
const BOUNDS = [...PAGE.matchAll(/^\| .* \| +(\d+) ?(\w*) +\|.*\| `(\w+)` in \[(.+)\]\((.+)\) +\|$/gm)].map(
  ([, number, unit = '', name = '', label = '', file = '']) => {
    const unitSize = UNITS[unit] ?? Number.NaN;
    return { name, label, file, most: Number(number) * unitSize };
  },
);

/** A constant's value: factors and powers of numbers, and of constants of the same file. */
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

it('has a bound for everything that outsiders may send, make us hold, or keep us waiting for', () => {
  expect(BOUNDS.length).toBe(PAGE.match(/^\| .*` in \[/gm)?.length);
  expect(BOUNDS.length).toBeGreaterThan(20);
});

it.each(BOUNDS)('says of $name what the code says', ({ name, label, file, most }) => {
  expect(file.endsWith(`/${label}`)).toBe(true);
  expect(constantIn(readFileSync(join(ROOT, file), 'utf8'), name)).toBe(most);
});

it('names files that are there', () => {
  const files = [...PAGE.matchAll(/`([a-z]+\/[\w./-]+\.ts)`/g)].map(([, file]) => file as string);
  expect(files.length).toBeGreaterThan(10);
  for (const file of files) expect(readFileSync(join(ROOT, file), 'utf8').length, file).toBeGreaterThan(0);
});
