/*
 * Texts in files for a trained model that reads a text and writes another.
 */
import { UserError } from '../../errors.js';
import type { Dataset } from '../dataset.js';
import { charactersOf, charactersToMeasure, unreadable } from './character-pairs.js';
import { Readings, summariesToMeasure } from './descriptions.js';
import type { PairPreprocessing } from './pair-preprocessing.js';
import { sentencesToMeasure } from './parallel-text.js';
import { piecesIn, UnknownLetters } from './piece-pairs.js';
import { readTextFile } from './text-file.js';

/** Largest file of texts to read. */
const TEXT_BYTES_MAX = 2 ** 27;

/**
 * Reads all pairs of a folder with source.txt and target.txt, or all summaries of a file of JSON lines.
 * @throws UserError that names the file and the remedy
 */
export function pairsToMeasure(
  path: string,
  preprocessing: PairPreprocessing,
): Promise<{ readonly test: Dataset; readonly notes: readonly string[] }> {
  switch (preprocessing.form) {
    case 'sentences':
      return sentencesToMeasure(path, preprocessing);
    case 'summaries':
      return summariesToMeasure(path, preprocessing);
    case 'characters':
      return charactersToMeasure(path, preprocessing);
  }
}

/** Texts that a model reads. */
export interface TextInputs {
  /** Numbers of their lines, from 1. */
  readonly lines: readonly number[];
  readonly inputs: { readonly read: Float32Array; readonly present: Float32Array };
  /** What was left out or cut, one line each. */
  readonly notes: readonly string[];
}

/**
 * Reads a text from each line of a file that is not empty. A text to summarise may be longer than what the model reads.
 * @throws UserError that names the file, the line and the remedy
 */
export async function textLines(path: string, preprocessing: PairPreprocessing): Promise<TextInputs> {
  const { text, notes } = await readTextFile(path, TEXT_BYTES_MAX);
  const lines = text
    .split(/\r\n|\n|\r/)
    .flatMap((line, i) => (line.trim() === '' ? [] : [{ line, number: i + 1 }]));
  if (lines.length === 0) throw new UserError(`${path} has no text; write one a line`);
  const reader = readerOf(preprocessing, path);
  const { length } = preprocessing.read;
  const read = new Float32Array(lines.length * length);
  const present = new Float32Array(lines.length * length);
  for (const [row, { line, number }] of lines.entries()) {
    const numbers = reader.numbersOf(line, number);
    read.set(numbers, row * length);
    // Of pieces, the end is seen; padding never is.
    const seen = preprocessing.form === 'characters' ? numbers.length : numbers.length + 1;
    present.fill(1, row * length, row * length + seen);
  }
  return {
    lines: lines.map(({ number }) => number),
    inputs: { read, present },
    notes: [...notes, ...reader.notes()],
  };
}

/** How lines of a file become numbers. */
interface LineReader {
  /** The numbers of the symbols of a line. @param number of the line, from 1 */
  numbersOf(line: string, number: number): readonly number[];
  /** What was left out or cut, one line each. */
  notes(): string[];
}

function readerOf(preprocessing: PairPreprocessing, path: string): LineReader {
  const { form, read } = preprocessing;
  const refuse = (number: number, wrong: string): never => {
    throw new UserError(`${path}, line ${number} ${wrong}; correct it, or leave it out`);
  };
  const refuseUnknown = (number: number): never => refuse(number, 'has no piece that the model has learned');
  if (form === 'characters')
    return {
      numbersOf(line, number) {
        const wrong = unreadable(line, preprocessing);
        return wrong === undefined ? charactersOf(line, preprocessing) : refuse(number, wrong);
      },
      notes: () => [],
    };
  const pieces = piecesIn(read.alphabet);
  if (form === 'summaries') {
    const readings = new Readings(pieces, read.length);
    return {
      numbersOf(line, number) {
        if (pieces.numbersOf(line).length === 0) return refuseUnknown(number);
        return readings.of({ name: '', long: line }).read;
      },
      notes: () => readings.notes(path),
    };
  }
  const unknown = new UnknownLetters(pieces);
  return {
    numbersOf(line, number) {
      const numbers = pieces.numbersOf(line);
      if (numbers.length === 0) return refuseUnknown(number);
      if (numbers.length >= read.length)
        return refuse(number, `has ${numbers.length} pieces, and the model reads ${read.length - 1}`);
      unknown.add(line);
      return numbers;
    },
    notes: () => unknown.notes(path),
  };
}
