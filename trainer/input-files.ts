/*
 * Samples for a trained model, read file by file.
 */
import type { RecipeData } from './recipe.js';

/** Some samples, and how each is called in the result. */
export interface SampleBatch {
  /** For each sample its values under `InputFiles.idHeadings`. */
  readonly ids: readonly (readonly string[])[];
  readonly inputs: Readonly<Record<string, Float32Array>>;
}

/** Samples that are read file by file. */
export interface InputFiles {
  /** Headings of the ids: the column of a table, or "row"; with several files, "file" before it. */
  readonly idHeadings: readonly string[];
  batches(): AsyncIterable<SampleBatch>;
}

/** Which files to read, and how samples are called. */
export interface InputRequest {
  /** Files and folders, as they were typed. */
  readonly paths: readonly string[];
  /** Column of a table that holds the ids; undefined: a column called id, or the number of the row. */
  readonly id: string | undefined;
  /** Reads a file by a function of the recipe; undefined: it has none. */
  readonly readFile: RecipeData['inputs'];
  /** Tells the user what was decided. */
  readonly say: (line: string) => void;
}

/** Whether a file is JSON, by its name. */
export function isJson(file: string): boolean {
  return /\.json$/i.test(file);
}
