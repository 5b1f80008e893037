import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { fieldValues } from '../../../shared/data/field-values.js';
import { PAIR_SIGNS } from '../../../shared/data/texts/pair-preprocessing.js';
import { textLines } from '../../../shared/data/texts/pairs-to-measure.js';
import { loadPairs, PAIR_LENGTH, sentencesToMeasure } from '../../../shared/data/texts/parallel-text.js';
import { NOT_SAID } from '../../../shared/data/texts/piece-pairs.js';
import { temporaryFolder } from '../../support/process.js';

function folderOf(source: readonly string[], target: readonly string[]): string {
  const folder = temporaryFolder();
  writeFileSync(join(folder, 'source.txt'), `${source.join('\n')}\n`);
  writeFileSync(join(folder, 'target.txt'), `${target.join('\n')}\n`);
  return folder;
}

const LINES = Array.from({ length: 2500 }, (_, i) => i);
const SOURCE = LINES.map((i) => `line ${i} of many`);
const TARGET = LINES.map((i) => `${i} de muchas`);

it('holds out whole stretches of lines, and numbers what it reads', async () => {
  const { train, test, alphabet } = await loadPairs(folderOf(SOURCE, TARGET));
  expect(train.manifest.samples + test.manifest.samples).toBe(LINES.length);
  expect(test.manifest.samples % 25).toBe(0);
  const [read, present, before, written] = ['read', 'present', 'before', 'written'].map((field) =>
    fieldValues(test, field).subarray(0, PAIR_LENGTH),
  ) as [Float32Array, Float32Array, Float32Array, Float32Array];
  const spell = (numbers: Float32Array) => Array.from(numbers, (number) => alphabet[number]).join('');
  const line = Number(/line (\d+) /.exec(spell(read))?.[1]);
  expect(spell(read)).toBe(`${SOURCE[line]} `);
  expect(spell(written)).toBe(`${TARGET[line]} `);
  expect(line % 25).toBe(0);
  // The source and its end are looked at; the decoder sees the target one place later.
  expect(present.indexOf(0)).toBe(read.indexOf(PAIR_SIGNS.end) + 1);
  expect(before[0]).toBe(PAIR_SIGNS.start);
  const said = written.indexOf(PAIR_SIGNS.end);
  expect(before.subarray(1, said + 1)).toEqual(written.subarray(0, said));
  expect(new Set(written.subarray(said + 1))).toEqual(new Set([NOT_SAID]));
});

it('leaves out pairs that are too long', async () => {
  const long = [...SOURCE.slice(1), 'a b '.repeat(PAIR_LENGTH)];
  const { train, test } = await loadPairs(folderOf(long, TARGET));
  expect(train.manifest.samples + test.manifest.samples).toBe(LINES.length - 1);
});

it('tells what is wrong with the files', async () => {
  await expect(loadPairs(folderOf(SOURCE, TARGET.slice(1)))).rejects.toThrow('2500 and 2499 sentences');
  await expect(loadPairs(folderOf(['a'], ['b']))).rejects.toThrow('add more lines');
});

it('tells which letters have no piece, and which pairs are repeated', async () => {
  const lines = LINES.map((i) => (i === 30 ? 'line with \u0436' : 'line of many'));
  const seen = await loadPairs(folderOf(SOURCE, TARGET));
  expect(seen.notes).toHaveLength(1);
  const { notes } = await loadPairs(
    folderOf(
      lines,
      TARGET.map(() => 'de muchas'),
    ),
  );
  expect(notes.slice(1)).toEqual([
    expect.stringMatching(
      /^\d+ of the pairs held out are also among those for training: they measure what was memorised$/,
    ),
  ]);
  const folder = folderOf(['line q\u0436b', 'line 1'], ['de \u0436', '1 de']);
  expect((await sentencesToMeasure(folder, seen.preprocessing)).notes).toEqual([
    `${folder}: 4 letters that the model has not learned are left out, such as q, \u0436, b at the end of a word, ` +
      '\u0436 at the end of a word',
  ]);
  const { notes: told } = await textLines(join(folder, 'target.txt'), seen.preprocessing);
  expect(told).toEqual([
    expect.stringContaining(
      '1 letters that the model has not learned are left out, such as \u0436 at the end of a word',
    ),
  ]);
});

it('counts an empty line beside a text as a pair, and leaves out empty lines behind the end', async () => {
  const { notes } = await loadPairs(folderOf([...SOURCE, ''], [...TARGET, 'nada']));
  expect(notes[0]).toMatch(/; 1 left out, as a side is empty/);
  expect((await loadPairs(folderOf([...SOURCE, '', ' '], TARGET))).notes[0]).toMatch(/; 0 left out/);
});

it('tells how the files are encoded', async () => {
  const folder = folderOf(SOURCE, TARGET);
  const wide = Buffer.from(`\ufeff${SOURCE.join('\n')}`, 'utf16le');
  writeFileSync(join(folder, 'source.txt'), wide);
  const { notes } = await loadPairs(folder);
  expect(notes.at(-1)).toMatch(/source\.txt: decoded as utf-16le by its byte order mark$/);
});
