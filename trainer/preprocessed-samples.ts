/*
 * Files and rows for a loaded model, brought to the form that its network takes.
 */
import { concatenated } from '../shared/concatenated.js';
import { UserError } from '../shared/errors.js';
import type { StoredModel } from './model-text.js';
import { openInputs } from './prediction-inputs.js';
import { preprocessRows } from './table-inputs.js';

/** How samples are read. */
export interface PreprocessOptions {
  /** Column of a table that holds the ids. Default: a column called id, or the number of the row. */
  readonly id?: string;
  /** Takes each note about what is read, such as rows that are unlike the training data; `unisum predict` prints them. */
  readonly onNote?: (note: string) => void;
}

/** Samples in the form of the network. */
export interface PreprocessedSamples {
  /** What each sample is called: its path, or its row; of several files with rows, `file:row`. */
  readonly ids: readonly string[];
  /** The values of each input by name, for `predict` and for an export in another runtime. */
  readonly inputs: Readonly<Record<string, Float32Array>>;
}

/** The names of PreprocessOptions. */
export const PREPROCESS_OPTIONS = ['id', 'onNote'];

/**
 * Reads samples with the preprocessing that a run has stored.
 * @param samples the path of a file or folder, several of them, or the rows of a table, an object for each
 * @throws UserError that names the file or row, and the remedy
 */
export async function preprocessSamples(
  model: StoredModel,
  samples: string | readonly string[] | readonly object[],
  { id, onNote = () => {} }: PreprocessOptions,
): Promise<PreprocessedSamples> {
  const list = typeof samples === 'string' ? [samples] : samples;
  if (!Array.isArray(list) || list.length === 0)
    throw new UserError(
      'preprocess() takes the path of a file or folder, a list of paths, or a list of rows',
      2,
    );
  if (list.every((sample) => typeof sample === 'string')) return fromFiles(model, list, id, onNote);
  const { preprocessing } = model;
  if (preprocessing.kind !== 'table')
    throw new UserError('the model was not trained on a table, so it takes no rows; name files', 2);
  if (id !== undefined)
    throw new UserError('id names a column of a file, and rows are given; leave it out', 2);
  const { features, notes } = await preprocessRows(list as readonly object[], preprocessing);
  for (const note of notes) onNote(note);
  return { ids: list.map((_, i) => String(i + 1)), inputs: { features } };
}

async function fromFiles(
  model: StoredModel,
  paths: readonly string[],
  id: string | undefined,
  say: (note: string) => void,
): Promise<PreprocessedSamples> {
  const { batches } = await openInputs(model, { paths, id, say, readFile: undefined });
  const ids: string[] = [];
  const parts: Readonly<Record<string, Float32Array>>[] = [];
  for await (const batch of batches()) {
    ids.push(...batch.ids.map((id) => id.join(':')));
    parts.push(batch.inputs);
  }
  const names = Object.keys(parts[0] ?? {});
  return {
    ids,
    inputs: Object.fromEntries(
      names.map((name) => [
        name,
        concatenated(
          Float32Array,
          parts.map((part) => part[name] ?? new Float32Array()),
        ),
      ]),
    ),
  };
}
