/*
 * Text to be learned character by character: each sample is a window of `context` characters, and the same window one
 * character on is what is to be predicted.
 *
 * The windows of a text overlap: one begins at each character, so that every character is met at every place of a
 * window. As records of their own they would hold the text 2 * context times over, in memory, on the wire and under
 * every hash. Here a record is as short as the distance from one window to the next, a single byte, and its fields
 * reach into the records behind it; a chunk brings along the few bytes that its last windows need
 * (`overlapBytes` in the manifest). Samples stay what they are everywhere else: numbers that an epoch's order shuffles
 * and that any node can find, so kernels, protocol and canonical sum know nothing of it.
 */
import { assert, UserError } from '../../errors.js';
import { readBoundedFile } from '../../files/read-file.js';
import { sha256Hex } from '../../files/sha256.js';
import { CHUNK_BYTES_TARGET, type Dataset } from '../dataset.js';
import type { Field } from '../manifest.js';

/** Largest text. */
const TEXT_BYTES_MAX = 2 ** 27;
/** Characters are numbered in one byte. */
const SYMBOLS_MAX = 256;

/** A text's data sets, and what its numbers stand for. */
export interface TextSplit {
  readonly train: Dataset;
  readonly test: Dataset;
  /** Character by number, in the order of code points. */
  readonly alphabet: readonly string[];
}

/**
 * A text file in two parts: windows at every character of the first to learn from, windows side by side of the rest to
 * be tested on. Fields: `x` and `y` (u8 [context]), `y` one character on.
 * @param path UTF-8
 * @param context characters of a window
 * @param share of the characters, from the first one on, to learn from
 * @throws UserError that names the file and the mend
 */
export async function loadText(path: string, context: number, share: number): Promise<TextSplit> {
  const bytes = await readBoundedFile(path, TEXT_BYTES_MAX);
  const text = Array.from(new TextDecoder().decode(bytes));
  const alphabet = [...new Set(text)].sort((a, b) => (a.codePointAt(0) ?? 0) - (b.codePointAt(0) ?? 0));
  if (alphabet.length > SYMBOLS_MAX) {
    throw new UserError(
      `${path} has ${alphabet.length} different characters, and at most ${SYMBOLS_MAX} can be told apart; ` +
        'take a text in an alphabet',
    );
  }
  const numbers = new Map(alphabet.map((character, number) => [character, number]));
  const ids = Uint8Array.from(text, (character) => numbers.get(character) as number);
  const border = Math.floor(ids.length * share);
  const parts = [ids.subarray(0, border), ids.subarray(border)] as const;
  if (parts.some((part) => part.length <= context)) {
    throw new UserError(
      `${path} has ${ids.length} characters, too few for windows of ${context}; take a longer text`,
    );
  }
  return {
    train: windowsOf('text-train', parts[0], context, 1),
    test: windowsOf('text-test', parts[1], context, context),
    alphabet,
  };
}

/**
 * Windows of `context` symbols, `stride` apart, over a stream that is kept once.
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
