import { existsSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import type { Dataset } from '../../../shared/data/dataset.js';
import { fieldValues } from '../../../shared/data/field-values.js';
import { readAptLists } from '../../../shared/data/texts/apt-lists.js';
import {
  loadSummaries,
  SUMMARY_LENGTHS,
  type SummarySplit,
  summariesToMeasure,
} from '../../../shared/data/texts/descriptions.js';
import { PAIR_SIGNS } from '../../../shared/data/texts/pair-preprocessing.js';
import { textLines } from '../../../shared/data/texts/pairs-to-measure.js';
import { temporaryFolder } from '../../support/process.js';

function fileOf(name: string, text: string): string {
  const path = join(temporaryFolder(), name);
  writeFileSync(path, text);
  return path;
}

/** Texts of 400 sources, two of each. */
const TEXTS = Array.from({ length: 800 }, (_, i) => {
  const source = [...`${Math.floor(i / 2)}`].map((digit) => 'abcdefghij'[Number(digit)]).join('');
  return {
    name: `${source}${i % 2}`,
    source,
    short: `plays ${source} games`,
    long: `This is ${source}. It plays games.\nMore follows.`,
  };
});
const LINES = TEXTS.map((text) => JSON.stringify(text)).join('\n');

function spelled({ alphabet }: SummarySplit, data: Dataset, field: 'read' | 'written'): string[] {
  const values = fieldValues(data, field);
  const length = SUMMARY_LENGTHS[field];
  return Array.from({ length: data.manifest.samples }, (_, row) => {
    const numbers = Array.from(values.subarray(row * length, (row + 1) * length));
    const end = numbers.indexOf(PAIR_SIGNS.end);
    return numbers
      .slice(0, end)
      .map((number) => (number === PAIR_SIGNS.start ? '| ' : alphabet[number]))
      .join('');
  });
}

describe('texts to sum up', () => {
  it('hold out whole sources, one text of each, and read the name before the text', async () => {
    const split = await loadSummaries(fileOf('texts.jsonl', LINES));
    const [read, written] = [spelled(split, split.test, 'read'), spelled(split, split.test, 'written')];
    const learned = new Set(spelled(split, split.train, 'written'));
    expect(written.length).toBeGreaterThan(0);
    expect(written.filter((text) => learned.has(text))).toEqual([]);
    expect(new Set(written).size).toBe(written.length);
    const source = /^plays (\w+) games $/.exec(written[0] as string)?.[1];
    const text = `this is ${source} . it plays games . more follows . `;
    expect([`${source} 0 | ${text}`, `${source} 1 | ${text}`]).toContain(read[0]);
    // The first sentence, as numbers of what is read.
    const [from, to] = fieldValues(split.test, 'lead') as unknown as [number, number];
    const numbers = Array.from(fieldValues(split.test, 'read').subarray(from, to));
    expect(numbers.map((number) => split.alphabet[number]).join('')).toBe(`this is ${source} . `);
  });

  it('are learned from three times at most where they begin with the same sentence, digits aside', async () => {
    const family = Array.from({ length: 9 }, (_, i) => ({
      name: `solid${i}`,
      // One that is learned from, however it is called.
      source: TEXTS[0]?.source,
      short: `solves ${i}`,
      long: `It has ${i} and ${i + 1} wheels. That is text ${i}.`,
    }));
    const before = await loadSummaries(fileOf('texts.jsonl', LINES));
    const lines = [...family.map((text) => JSON.stringify(text)), LINES].join('\n');
    const after = await loadSummaries(fileOf('texts.jsonl', lines));
    const said = spelled(after, after.train, 'written').filter((text) => text.startsWith('solves'));
    expect(said).toEqual(['solves 0 ', 'solves 1 ', 'solves 2 ']);
    expect(after.train.manifest.samples).toBe(before.train.manifest.samples + 3);
    expect(spelled(after, after.test, 'written')).toEqual(spelled(before, before.test, 'written'));
  });

  it('tell of letters that were not learned, and of texts that are cut', async () => {
    const { preprocessing, notes } = await loadSummaries(fileOf('texts.jsonl', LINES));
    expect(notes).toHaveLength(1);
    const strange = [
      { name: 'ж', short: 'plays bd games', long: 'It plays games.' },
      { name: 'b', short: 'plays жж', long: `It plays games. ${'It plays games. '.repeat(30)}` },
    ];
    const file = fileOf('strange.jsonl', strange.map((text) => JSON.stringify(text)).join('\n'));
    const measured = await summariesToMeasure(file, preprocessing);
    expect(measured.test.manifest.samples).toBe(2);
    expect(measured.notes).toEqual([
      `${file}: longer than the 79 pieces that the model reads, so that the rest is not read: 1`,
      `${file}: 3 letters that the model has not learned are left out, such as ж at the end of a word, ж`,
    ]);
    const lines = fileOf('lines.txt', `It ж plays games.\n\n${'It plays games. '.repeat(30)}\n`);
    expect((await textLines(lines, preprocessing)).notes).toEqual([
      `${lines}: longer than the 79 pieces that the model reads, so that the rest is not read: 1`,
      `${lines}: 1 letters that the model has not learned are left out, such as ж at the end of a word`,
    ]);
    await expect(textLines(fileOf('lines.txt', 'It plays.\nжжж\n'), preprocessing)).rejects.toThrow(
      /lines\.txt, line 2 has no piece that the model has learned/,
    );
  });

  it('come out of lists of packages', async () => {
    const folder = temporaryFolder();
    writeFileSync(
      join(folder, 'archive_main_binary-amd64_Packages'),
      'Package: chess-data\nSource: chess (1.2)\nDescription: a game (data)\nSize: 1\n\nPackage: go\nDescription: a game\n',
    );
    writeFileSync(
      join(folder, 'archive_main_i18n_Translation-en'),
      'Package: chess-data\nDescription-md5: 1\nDescription-en: a game (data)\n It is old,\n  and hard.\n .\n Pieces.\n\n' +
        'Package: go\nDescription-md5: 2\nDescription-en: a game\n Stones.\n',
    );
    expect(await readAptLists(folder)).toEqual([
      { name: 'chess-data', source: 'chess', short: 'a game (data)', long: 'It is old, and hard.\nPieces.' },
      { name: 'go', source: 'go', short: 'a game', long: 'Stones.' },
    ]);
  });

  it.skipIf(!existsSync('/usr/lib/apt/apt-helper'))('come out of compressed lists too', async () => {
    const folder = temporaryFolder();
    const list = 'Package: go\nDescription: a game\n Stones.\n';
    writeFileSync(join(folder, 'archive_main_binary-amd64_Packages.gz'), gzipSync(list));
    expect(await readAptLists(folder)).toEqual([
      { name: 'go', source: 'go', short: 'a game', long: 'Stones.' },
    ]);
    const torn = join(folder, 'archive_main_i18n_Translation-en.lz4');
    writeFileSync(torn, Buffer.from([0x04, 0x22, 0x4d, 0x18, 0x44, 0x40]));
    await expect(readAptLists(folder)).rejects.toThrow(
      /apt-helper cannot read .*Translation-en\.lz4 .*; run apt-get update, or decompress it/,
    );
  });

  it.each([
    ['{"long": "a", "short": 1}', /texts\.jsonl, line 1: short must be a text/],
    ['\n[]x', /texts\.jsonl, line 2 is not a JSON object/],
    ['{"long": "a", "short": "b"}', /too few texts/],
  ])('that cannot be read are told: %s', async (text, message) => {
    await expect(loadSummaries(fileOf('texts.jsonl', text))).rejects.toThrow(message);
  });

  it('that are missing are told how to get', async () => {
    await expect(loadSummaries(temporaryFolder())).rejects.toThrow(
      /run apt-get update -o Acquire::Languages=en/,
    );
  });
});
