import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { readAptLists } from '../../shared/data/apt-lists.js';
import type { Dataset } from '../../shared/data/dataset.js';
import { loadSummaries, SUMMARY_LENGTHS, type SummarySplit } from '../../shared/data/descriptions.js';
import { fieldValues } from '../../shared/data/field-values.js';
import { PAIR_SIGNS } from '../../shared/data/piece-pairs.js';
import { temporaryFolder } from '../support/process.js';

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

  it.each([
    ['{"long": "a", "short": 1}', /texts\.jsonl, line 1: short must be a text/],
    ['\n[]x', /texts\.jsonl, line 2 is no JSON object/],
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
