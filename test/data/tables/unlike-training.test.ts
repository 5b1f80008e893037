import { expect, it } from 'vitest';
import { csv, readTable } from '../../../shared/data/tables/csv.js';
import { applyPreprocessing } from '../../../shared/data/tables/table-apply.js';
import { tableFile } from './table-files.js';

/** Notes about rows for a model that was trained on sizes of 0 to 39, one kind, and days of 2024. */
async function notesOn(rows: readonly string[], standardize = true): Promise<readonly string[]> {
  const trained = Array.from({ length: 40 }, (_, i) => `${i},7,2024-0${(i % 9) + 1}-11,${i % 3}.5`);
  const { preprocessing } = await csv(tableFile(['size,kind,day,y', ...trained]), {
    ...{ target: 'y', dates: ['day'], missing: 'median', standardize, split: { share: 0 } },
  });
  const table = await readTable(tableFile(['size,kind,day', ...rows]), { delimiter: null, encoding: null });
  return (await applyPreprocessing(preprocessing, table)).notes;
}

it('values like those of the training data get no note', async () => {
  expect(await notesOn(['0,7,2024-01-01', '39,7,2024-12-31', '120,7,2024-05-05'])).toEqual([]);
});

it('values of another unit, and changes of what never changed, are told', async () => {
  expect(await notesOn(['3,7,2024-01-01', '-4000,7,2024-01-01', '500,8,2025-01-01'])).toEqual([
    'size: 2 of 3 rows are more than 10 deviations from the training data (-4000; mean 19.5, deviation 11.54); check unit and ' +
      'decimal mark',
    'kind: 1 of 3 rows differ from 7, the only value in the training data, and the model does not see how',
    'day (year): 1 of 3 rows differ from 2024, the only value in the training data, and the model does not see how',
  ]);
});

it('missing values are not far, and numbers that are not scaled have nothing to compare with', async () => {
  expect(await notesOn([',7,2024-01-01'])).toEqual(['size: 1 missing, treated as in training']);
  expect(await notesOn(['5000,8,2031-01-01'], false)).toEqual([]);
});
