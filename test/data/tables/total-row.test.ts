import { describe, expect, it } from 'vitest';
import { readParts } from './table-files.js';

const notesOf = async (last: string, before: readonly string[] = []): Promise<string> => {
  const rows = ['north,1,2,train', 'south,3,4,train', 'north,5,6,test', 'south,7,8,test', ...before];
  return (await readParts(['region,x,y,part', ...rows, last])).notes.join('\n');
};

describe('a last row that looks like a sum', () => {
  it.each([
    'Total',
    'grand total',
    'SUM:',
    'Average',
    'Gesamt',
    '\u0418\u0442\u043e\u0433\u043e',
    '\u5408\u8a08',
  ])('%s is told', async (name) => {
    expect(await notesOf(`${name},16,20,train`)).toContain(
      `line 6, the last row, has "${name}" in region and looks like a sum of the others; it is used like any other row; ` +
        'remove it if it is one',
    );
  });

  it.each<[string, string, readonly string[]]>([
    ['a category that occurs before', 'total,9,9,train', ['total,1,1,train']],
    ['another word', 'totality,9,9,train', []],
    ['a total in another row', 'south,9,9,train', ['Total,1,1,train']],
  ])('%s is not', async (_, last, before) => {
    expect(await notesOf(last, before)).not.toContain('looks like a sum');
  });
});
