import { expect, it } from 'vitest';
import { csv } from '../../../shared/data/tables/csv.js';
import { tableOfJson } from '../../../shared/data/tables/json-table.js';
import { tableFile } from './table-files.js';

/** A table whose codes of shops have more digits than JSON keeps. */
const CODES = ['9007199254740993', '9007199254740992'];

it('a category that is a number keeps its digits, or is refused', async () => {
  const rows = Array.from({ length: 20 }, (_, i) => `${CODES[i % 2]},${i}`);
  const { preprocessing } = await csv(tableFile(['shop,y', ...rows]), {
    ...{ target: 'y', categories: ['shop'], split: { share: 0 } },
  });
  const cellsOf = (text: string): string[] => {
    const table = tableOfJson('a.json', JSON.parse(text), preprocessing);
    return Array.from({ length: table.rows }, (_, row) => table.cell(row, 0));
  };
  expect(cellsOf(`[{"shop": "${CODES[0]}"}, {"shop": "${CODES[1]}"}, {"shop": 9007199254740991}]`)).toEqual([
    ...CODES,
    '9007199254740991',
  ]);
  // As numbers of JSON, both codes are the same.
  for (const code of CODES)
    expect(() => cellsOf(`[{"shop": "7"}, {"shop": ${code}}]`)).toThrow(
      'a.json: row 2: shop is 9007199254740992, a number of which JSON may have lost digits; write it as a text: "..."',
    );
});
