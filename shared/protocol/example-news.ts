/*
 * Test images with the model's present answers. They are data, so operators alone are told: a watcher's link gives no access to
 * data.
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
  /** Class names: the right one, and the model's answer. */
  readonly label: string;
  readonly answer: string;
  /** Probability that the model gives its answer. */
  readonly probability: number;
}

/** Some test images, and what the model makes of them after the latest evaluation. */
export interface ExamplesNews {
  readonly kind: 'examples';
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
  ...{ kind: v.literal('examples'), width: integer(1, SIDE_MAX), height: integer(1, SIDE_MAX) },
  ...{ channels: v.picklist([1, 3]), fixed: rows, mistakes: rows, tried: count, right: count },
});
