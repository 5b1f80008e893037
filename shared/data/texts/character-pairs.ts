/*
 * Pairs of short texts as character numbers, in the form that an encoder and a decoder need; what is written has a fixed length.
 */
import { UserError } from '../../errors.js';
import { sha256Hex } from '../../files/sha256.js';
import { type Dataset, packDataset } from '../dataset.js';
import { listed } from '../tables/problems.js';
import { type PairPreprocessing, writtenAlphabet } from './pair-preprocessing.js';
import { readLines } from './parallel-text.js';

/** A text and what is to be written for it. */
interface CharacterPair {
  readonly source: string;
  readonly target: string;
}

/**
 * Fields, all u8: `read` and `present`, the characters and 1 for each that is not padding; `before`, the start sign (the number
 * after the last character) and all but the last of `written`.
 * @param pairs of known characters; targets are as long as `written`
 */
export function packCharacters(
  name: string,
  pairs: readonly CharacterPair[],
  preprocessing: PairPreprocessing,
): Dataset {
  const { read: source, written: target } = preprocessing;
  const alphabet = writtenAlphabet(preprocessing);
  const bytes = (length: number) => new Uint8Array(pairs.length * length);
  const read = bytes(source.length);
  const present = bytes(source.length);
  const before = bytes(target.length);
  const written = bytes(target.length);
  pairs.forEach((pair, row) => {
    const characters = charactersOf(pair.source, preprocessing);
    read.set(characters, row * source.length);
    present.fill(1, row * source.length, row * source.length + characters.length);
    const numbers = Array.from(pair.target, (character) => alphabet.indexOf(character));
    written.set(numbers, row * target.length);
    before.set([alphabet.length, ...numbers.slice(0, -1)], row * target.length);
  });
  const column = (values: Uint8Array, length: number) =>
    ({ dtype: 'u8', shape: [length], bytes: values, scale: 1, shift: 0 }) as const;
  const columns = {
    read: column(read, source.length),
    present: column(present, source.length),
    before: column(before, target.length),
    written: column(written, target.length),
  };
  return packDataset(name, pairs.length, columns, sha256Hex);
}

/** The numbers of the characters of a text that is read. */
export function charactersOf(text: string, { read }: PairPreprocessing): number[] {
  return Array.from(text, (character) => read.alphabet.indexOf(character));
}

/** What is wrong with a text that is to be read; undefined when nothing is. */
export function unreadable(text: string, { read }: PairPreprocessing): string | undefined {
  const characters = Array.from(text);
  if (characters.length === 0) return 'is empty';
  if (characters.length > read.length)
    return `has ${characters.length} characters, and the model reads ${read.length}`;
  return unknownIn(characters, read.alphabet);
}

/**
 * All pairs of source.txt and target.txt, for a trained model to be measured on.
 * @throws UserError that names the line and the remedy
 */
export async function charactersToMeasure(
  folder: string,
  preprocessing: PairPreprocessing,
): Promise<{ readonly test: Dataset; readonly notes: readonly string[] }> {
  const { pairs, notes } = await readLines(folder);
  const { length } = preprocessing.written;
  for (const [i, { source, target }] of pairs.entries()) {
    const written = Array.from(target);
    const wrong =
      unreadable(source, preprocessing) ??
      (written.length === length
        ? unknownIn(written, writtenAlphabet(preprocessing))
        : `has a target of ${written.length} characters, and the model writes ${length}`);
    if (wrong !== undefined)
      throw new UserError(`${folder}, line ${i + 1} ${wrong}; correct it, or leave it out`);
  }
  return { test: packCharacters('characters', pairs, preprocessing), notes };
}

function unknownIn(characters: readonly string[], alphabet: readonly string[]): string | undefined {
  const unknown = [...new Set(characters.filter((character) => !alphabet.includes(character)))];
  if (unknown.length === 0) return undefined;
  return `has characters that the model has not learned: ${listed(unknown.map((one) => JSON.stringify(one)))}`;
}
