/*
 * Test images with the model's present answers, recordings with its transcripts, and texts that it writes. They are data, or made
 * of data, so operators alone are told: a watcher's link gives no access to data.
 */
import * as v from 'valibot';
import { count, integer, name } from './fields.js';

/** Most images of one message, and most bytes of all of them: a link may hold about a MiB for one who reads slowly. */
export const EXAMPLES_MAX = 24;
export const EXAMPLE_BYTES_MAX = 144 * 2 ** 10;
/** Longest side of an image. */
const SIDE_MAX = 512;

/** One image. */
export interface ExampleRow {
  /** Bytes row by row, one or three a pixel, in base64url. */
  readonly pixels: string;
  /** Class names, or transcripts: the right one, and the model's answer. */
  readonly label: string;
  readonly answer: string;
  /** Probability that the model gives its answer; NaN where there is none. */
  readonly probability: number;
}

/** Some test images, and what the model makes of them after an evaluation. */
export interface ExamplesNews {
  readonly kind: 'examples';
  /** Steps done. */
  readonly step: number;
  /** Recordings are shown as spectrograms: time to the right, pitch upwards. */
  readonly subject: 'images' | 'recordings';
  readonly width: number;
  readonly height: number;
  /** 1: grey; 3: red, green, blue. */
  readonly channels: 1 | 3;
  /** Always the same images, evenly spread over the test data. */
  readonly fixed: readonly ExampleRow[];
  /** Images that the model now takes for something else. */
  readonly mistakes: readonly ExampleRow[];
  /** Images that were tried, and how many of the answers are right. */
  readonly tried: number;
  readonly right: number;
}

const row = v.strictObject({
  pixels: v.pipe(v.string(), v.regex(/^[\w-]*$/), v.maxLength(2 * EXAMPLE_BYTES_MAX)),
  ...{ label: name, answer: name, probability: v.union([v.number(), v.nan()]) },
});
const rows = v.pipe(v.array(row), v.maxLength(EXAMPLES_MAX));

/** Schema of the message. */
export const ExamplesSchema = v.strictObject({
  ...{ kind: v.literal('examples'), step: count, subject: v.picklist(['images', 'recordings']) },
  ...{ width: integer(1, SIDE_MAX), height: integer(1, SIDE_MAX) },
  ...{ channels: v.picklist([1, 3]), fixed: rows, mistakes: rows, tried: count, right: count },
});

/** Most characters of a text. */
export const TEXT_CHARACTERS_MAX = 200;
/** Most texts that are kept: a text of each evaluation, thinned over the run. */
export const TEXTS_MAX = 16;

/** How the model goes on from a prompt after an evaluation. The prompt and the random draws are always the same. */
export interface TextNews {
  readonly kind: 'text';
  /** Steps done. */
  readonly step: number;
  readonly prompt: string;
  readonly text: string;
}

/** What the model makes of data after an evaluation. */
export type AnswersNews = ExamplesNews | TextNews;

const text = v.pipe(v.string(), v.minLength(1), v.maxLength(2 * TEXT_CHARACTERS_MAX));

/** Schema of the message. */
export const TextSchema = v.strictObject({ kind: v.literal('text'), step: count, prompt: text, text });
