/*
 * Tables of all kinds, against Python's csv module and NumPy: the same cells, the same numbers and features to the last bit.
 */
import { execFileSync } from 'node:child_process';
import { join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import { fieldValues } from '../../../shared/data/field-values.js';
import { surveyColumn } from '../../../shared/data/tables/column-survey.js';
import { columnValues } from '../../../shared/data/tables/column-values.js';
import { csv, readTable } from '../../../shared/data/tables/csv.js';
import { MISSING_VALUES } from '../../../shared/data/tables/missing-values.js';
import type { CellFormat } from '../../../shared/data/tables/preprocessing.js';
import { Problems } from '../../../shared/data/tables/problems.js';
import type { RawTable } from '../../../shared/data/tables/raw-table.js';
import { pythonWith } from '../../support/python.js';
import { comparedTables, type TableCase } from './compared-tables.js';
import { tableFile } from './table-files.js';

const PYTHON = pythonWith(['csv', 'numpy'], 'python3 python3-numpy');
const SCRIPT = join(import.meta.dirname, 'numpy-tables.py');

/** What Python makes of a case. */
interface Answer {
  readonly cells: string[][];
  /** Lines with another number of cells than there are headings. */
  readonly ragged: number[];
  readonly numbers: Readonly<Record<string, string>>;
  readonly features: string;
}

const formatOf = ({ decimal, thousands }: TableCase): CellFormat => ({
  decimal,
  thousands: thousands ?? null,
  missingValues: [...MISSING_VALUES],
});
/** The bits of numbers, as Python tells them. */
const bits = (numbers: Float64Array | Float32Array): string =>
  Buffer.from(numbers.buffer, numbers.byteOffset, numbers.byteLength).toString('base64');

describe.skipIf(PYTHON === undefined)("Python's csv module and NumPy read the same", () => {
  const cases = comparedTables();
  let answers: readonly Answer[] = [];
  const tables: RawTable[] = [];

  beforeAll(async () => {
    const input = cases
      .map(({ bytes, hasFeatures, isPercent, thousands = '', ...rest }) =>
        JSON.stringify({
          ...{ ...rest, bytes: bytes.toString('base64'), missing: ['', ...MISSING_VALUES] },
          ...{ thousands, percent: isPercent, has_features: hasFeatures },
        }),
      )
      .join('\n');
    const output = execFileSync(PYTHON as string, [SCRIPT], { input, encoding: 'utf8', maxBuffer: 2 ** 28 });
    answers = output
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line));
    for (const { bytes, delimiter, encoding = null } of cases)
      tables.push(await readTable(tableFile(bytes), { delimiter, encoding }));
  });

  it('cells, and the same lines that are too short or too long', () => {
    expect(answers.length).toBe(cases.length);
    for (const [i, { name }] of cases.entries()) {
      const { problems, ...table } = tables[i] as RawTable;
      const cells = Array.from({ length: table.rows }, (_, row) =>
        table.header.map((_, at) => table.cell(row, at)),
      );
      const { cells: wanted, ragged } = answers[i] as Answer;
      expect([[...table.header], ...cells], name).toEqual(wanted);
      const lines = [...problems.report('t').matchAll(/line (\d+): has \d+ values? under/g)];
      expect(
        lines.map(([, line]) => Number(line)),
        name,
      ).toEqual(ragged);
    }
  });

  it('numbers', () => {
    let numbers = 0;
    for (const [i, one] of cases.entries()) {
      const { name, isPercent } = one;
      const format = formatOf(one);
      if (!one.hasFeatures) continue;
      const table = tables[i] as RawTable;
      for (const [heading, wanted] of Object.entries((answers[i] as Answer).numbers)) {
        const at = table.header.indexOf(heading);
        const { present, numbers: read } = surveyColumn(table, at, format);
        expect(read, `${name} ${heading}`).toBe(present);
        const problems = new Problems();
        const column = { name: heading, type: 'number', percent: isPercent, currency: null } as const;
        const [values] = columnValues(table, at, column, format, problems);
        expect(problems.isEmpty, problems.report(name)).toBe(true);
        expect(bits(values as Float64Array), `${name} ${heading}`).toBe(wanted);
        numbers += read;
      }
    }
    expect(numbers).toBeGreaterThan(3000);
  });

  it('features, with medians and the most frequent categories for missing values', async () => {
    for (const [i, one] of cases.entries()) {
      const { name, bytes, delimiter, encoding, decimal, thousands, isPercent } = one;
      if (!one.hasFeatures) continue;
      const { cells, features } = answers[i] as Answer;
      const [header = []] = cells;
      const data = await csv(tableFile(bytes), {
        ...{ target: 'y', delimiter, decimal, percent: isPercent, standardize: false },
        ...(encoding !== undefined && { encoding }),
        ...(thousands !== undefined && { thousands }),
        ...{ missing: 'median', split: { share: 0 } },
        categories: header.filter((heading) => heading.startsWith('t')),
      });
      const samples = cells.length - 1;
      const [inputs, targets] = [fieldValues(data.train, 'features'), fieldValues(data.train, 'target')];
      // The target is the last column.
      const width = data.features.length;
      const rows = Array.from({ length: samples }, (_, row) => [
        ...inputs.subarray(row * width, (row + 1) * width),
        targets[row] as number,
      ]);
      expect(bits(Float32Array.from(rows.flat())), name).toBe(features);
    }
  });
});
