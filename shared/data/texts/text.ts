/*
 * Text for character-level models: each sample is a window of `context` characters, and its target is the same window, one
 * character later.
 *
 * Training windows overlap: one begins at each character, so that every character occurs at every position of a window. Stored
 * separately, they would repeat the text 2 * context times in memory, on the wire and in every hash. Here a record is as long as
 * the distance between windows, a single byte, and its fields extend into the following records. A chunk includes the bytes that
 * its last windows need (`overlapBytes` in the manifest). Samples are numbered and shuffled as in any other data set, so kernels,
 * protocol and canonical sum need no special case.
 */
import { assert, UserError } from '../../errors.js';
import { sha256Hex } from '../../files/sha256.js';
import { CHUNK_BYTES_TARGET, type Dataset } from '../dataset.js';
import type { Field } from '../manifest.js';
import { listed } from '../tables/problems.js';
import { readTextFile } from './text-file.js';
import { numbersOfText, SYMBOLS_MAX, type TextPreprocessing } from './text-preprocessing.js';

/** Largest text. */
export const TEXT_BYTES_MAX = 2 ** 27;

/** Data sets of a text, and its alphabet. */
export interface TextSplit {
  readonly train: Dataset;
  readonly test: Dataset;
  /** Characters by number, in code point order. */
  readonly alphabet: readonly string[];
  /** What was found and decided, one line each. */
  readonly notes: readonly string[];
  /** All that another text needs to be read as this one was, as plain JSON. */
  readonly preprocessing: TextPreprocessing;
}

/**
 * Reads a text file. The first part becomes training windows that begin at every character, the rest becomes adjacent windows for
 * evaluation. Fields: `x` and `y` (u8 [context]); `y` is one character later.
 * @param path UTF-8, or with a byte order mark
 * @param context characters of a window
 * @param share of the characters that is the first part
 * @throws UserError that names the file and the remedy
 */
export async function loadText(path: string, context: number, share: number): Promise<TextSplit> {
  const read = await readTextFile(path, TEXT_BYTES_MAX);
  const text = Array.from(read.text);
  const alphabet = [...new Set(text)].sort((a, b) => (a.codePointAt(0) ?? 0) - (b.codePointAt(0) ?? 0));
  if (alphabet.length > SYMBOLS_MAX) {
    throw new UserError(
      `${path} has ${alphabet.length} different characters, and at most ${SYMBOLS_MAX} are supported; ` +
        'use a text in an alphabetic script',
    );
  }
  const ids = numbersOfText(text, alphabet, path);
  const border = Math.floor(ids.length * share);
  const parts = [ids.subarray(0, border), ids.subarray(border)] as const;
  if (parts.some((part) => part.length <= context)) {
    throw new UserError(
      `${path} has ${ids.length} characters, too few for windows of ${context}; use a longer text`,
    );
  }
  return {
    train: windowsOf('text-train', parts[0], context, 1),
    test: windowsOf('text-test', parts[1], context, context),
    alphabet,
    notes: [
      `${path}: ${ids.length} characters, ${alphabet.length} different ones; the first ${border} for training, the others ` +
        'for evaluation',
      ...read.notes,
      ...oddCharacters(path, read.text, alphabet),
    ],
    preprocessing: { kind: 'text', version: 1, context, alphabet },
  };
}

/** Notes about characters that nobody means to learn. */
function oddCharacters(path: string, text: string, alphabet: readonly string[]): string[] {
  const notes: string[] = [];
  const count = (character: string): number => text.split(character).length - 1;
  const [windows, marks] = [count('\r\n'), count('\ufeff')];
  const lone = count('\r') - windows;
  if (windows > 0)
    notes.push(
      `${path}: ${windows} carriage returns, with which Windows ends lines, are learned as characters; remove them with: tr -d '\\r'`,
    );
  if (lone > 0)
    notes.push(
      `${path}: ${lone} carriage returns without a line feed, with which old programs end lines, are learned as characters; make ` +
        "them line feeds with: tr '\\r' '\\n'",
    );
  const controls = alphabet.filter((character) => /[^\P{Cc}\t\n\r]/u.test(character));
  if (controls.length > 0)
    notes.push(
      `${path}: control characters are learned: ${listed(controls.map((character) => JSON.stringify(character)))}; remove them if ` +
        'they are not meant',
    );
  if (marks > 0)
    notes.push(
      `${path}: ${marks} byte order marks inside of the text are learned as characters; remove them`,
    );
  if (alphabet.length === 1) notes.push(`${path}: a single character, so there is nothing to learn`);
  return notes;
}

/**
 * A text for a trained model to be measured on: all of it, in windows side by side.
 * @throws UserError that names the file and the remedy
 */
export async function textToMeasure(
  path: string,
  { context, alphabet }: TextPreprocessing,
): Promise<{ readonly test: Dataset; readonly notes: readonly string[] }> {
  const { text, notes } = await readTextFile(path, TEXT_BYTES_MAX);
  const ids = numbersOfText(Array.from(text), alphabet, path);
  if (ids.length <= context)
    throw new UserError(
      `${path} has ${ids.length} characters, and the model needs more than ${context}; take a longer text`,
    );
  const test = windowsOf('text-test', ids, context, context);
  const rest = ids.length - 1 - test.manifest.samples * context;
  return {
    test,
    notes:
      rest === 0
        ? notes
        : [
            ...notes,
            `${path}: the last ${rest} characters fill no window of ${context} and are not measured`,
          ],
  };
}

/**
 * The last characters of a text, which a model predicts the next one from.
 * @returns as many numbers as the model's window has
 * @throws UserError that names the file and the remedy
 */
export async function endOfText(
  path: string,
  { context, alphabet }: TextPreprocessing,
): Promise<{ readonly x: Float32Array; readonly notes: readonly string[] }> {
  const { text, notes } = await readTextFile(path, TEXT_BYTES_MAX);
  const all = Array.from(text);
  const last = all.slice(-context);
  if (last.length < context)
    throw new UserError(
      `${path} has ${last.length} characters, and the model needs ${context}; take a longer text`,
    );
  const left = all.length - context;
  const windowNote = `${path}: what follows its last ${context} characters is predicted; the ${left} before them are not read`;
  return {
    x: Float32Array.from(numbersOfText(last, alphabet, path)),
    notes: left === 0 ? notes : [...notes, windowNote],
  };
}

/**
 * Windows of `context` symbols, `stride` apart, over a stream that is stored once.
 * @param stream one byte for each symbol; more than `context` of them
 */
function windowsOf(name: string, stream: Uint8Array, context: number, stride: number): Dataset {
  assert(
    stream.length > context && stride <= context,
    `no windows of ${context} in ${stream.length} symbols`,
  );
  const samples = Math.floor((stream.length - context - 1) / stride) + 1;
  const chunkSamples = Math.floor(CHUNK_BYTES_TARGET / stride);
  // A window and the symbol behind it, less what the record itself holds.
  const overlapBytes = context + 1 - stride;
  const window: Field = { dtype: 'u8', shape: [context], offset: 0, scale: 1, shift: 0 };
  const chunk = (index: number): Uint8Array => {
    const first = index * chunkSamples;
    assert(index >= 0 && first < samples, `data set ${name} has no chunk ${index}`);
    const count = Math.min(chunkSamples, samples - first);
    return stream.subarray(first * stride, (first + count) * stride + overlapBytes);
  };
  const chunkHashes = Array.from({ length: Math.ceil(samples / chunkSamples) }, (_, i) =>
    sha256Hex(chunk(i)),
  );
  const fields = { x: window, y: { ...window, offset: 1 } };
  const manifest = { name, samples, chunkSamples, recordBytes: stride, overlapBytes, fields, chunkHashes };
  return { manifest, chunk };
}
