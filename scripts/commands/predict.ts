import { stat } from 'node:fs/promises';
import { dirname } from 'node:path';
import { type Command, Option } from 'commander';
import { UserError } from '../../shared/errors.js';
import { writeFileAtomically } from '../../shared/files/atomic-file.js';
import { exists } from '../../shared/files/read-file.js';
import type { InputFiles } from '../../trainer/input-files.js';
import { wholeNumber } from '../../trainer/options/option-values.js';
import { datasetBatches, openInputs } from '../../trainer/prediction-inputs.js';
import { type Prediction, predictionFormat } from '../../trainer/predictions.js';
import type { Terminal } from '../terminal/terminal.js';
import type { CommandContext } from './command.js';
import {
  addModelOptions,
  loadModel,
  type ModelOptions,
  type OpenedModel,
  openModel,
  recipeDataOf,
} from './model-options.js';

/** Tables that are read and not written: a file of this name with text in it is refused by other programs. */
const BINARY_TABLE = /\.(parquet|arrow|feather)$/i;

interface PredictOptions extends ModelOptions {
  input?: string[];
  test: string;
  id?: string;
  out?: string;
}

/** `unisum predict <model> [files...]`: runs a trained model on inputs. */
export function define(command: Command, { terminal }: CommandContext): void {
  addModelOptions(command, "with --recipe, or without files: local copy of the recipe's data")
    .description(
      'Run a trained model on unlabelled samples. The preprocessing that the run has stored is applied; the recipe and its ' +
        'data are not needed. The predictions go to stdout as CSV: the id of each sample, its class and probability, or its ' +
        'numbers.',
    )
    .argument(
      '[files...]',
      'tables (CSV, Parquet, Arrow), images (PNG, JPEG), recordings (WAV), texts, NumPy arrays, or JSON; a folder stands for its ' +
        'files',
    )
    .addOption(new Option('--input <PATH...>', 'the same as [files...]').hideHelp())
    .option('--test <N>', 'without files: use the first N samples of the test data of the run', '5')
    .option(
      '--id <COLUMN>',
      'column of a table that names the rows (default: a column called id, or row numbers)',
    )
    .option('--out <FILE>', 'write the predictions to a file instead of stdout')
    .option('--json', 'write one JSON object per line, with all outputs, instead of CSV')
    .action(async (path: string, files: string[], options: PredictOptions) => {
      await checkOutPath(options.out);
      const opened = await openModel(path, options, terminal);
      const paths = [...files, ...(options.input ?? [])];
      const inputs =
        paths.length === 0
          ? await testInputs(opened, options.test, terminal)
          : await openInputs(opened.stored, {
              ...{ paths, id: options.id, say: terminal.say },
              readFile: await readerOf(opened, terminal),
            });
      const format = predictionFormat(opened.stored);
      const model = await loadModel(opened, options, format.network);
      try {
        const lines = options.json ? jsonLines(inputs, format.headings) : csvLines(inputs, format.headings);
        const pieces: Uint8Array[] = [];
        const write = (text: string): void => {
          if (options.out === undefined) terminal.print(text);
          else pieces.push(Buffer.from(text));
        };
        let count = 0;
        // With the first predictions: a file that is refused prints nothing.
        let head = lines.head;
        for await (const { ids, inputs: values } of inputs.batches()) {
          const predictions = await format.predict(model.predictor, values);
          const rows = predictions.map((prediction, i) => lines.of(ids[i] as readonly string[], prediction));
          write(head + rows.join(''));
          head = '';
          count += ids.length;
        }
        write(head);
        if (options.out !== undefined) await writeFileAtomically(options.out, pieces);
        terminal.say(
          `${count} ${count === 1 ? 'prediction' : 'predictions'}${options.out === undefined ? '' : `: ${options.out}`}`,
        );
      } finally {
        await model.stop();
      }
    });
}

/** @throws UserError (wrong usage) when the path is that of a folder, or its folder does not exist */
async function checkOutPath(path: string | undefined): Promise<void> {
  if (path === undefined) return;
  const other = BINARY_TABLE.exec(path)?.[0];
  if (other !== undefined)
    throw new UserError(`--out writes text, not ${other}: name a file that ends in .csv`, 2);
  if ((await stat(path).catch(() => undefined))?.isDirectory())
    throw new UserError(
      `--out names a file for the predictions, and ${path} is a folder; name a file in it`,
      2,
    );
  if (!(await exists(dirname(path))))
    throw new UserError(`--out: the folder ${dirname(path)} does not exist`, 2);
}

/** The first samples of the test data of a run. */
async function testInputs(opened: OpenedModel, text: string, terminal: Terminal): Promise<InputFiles> {
  terminal.say('no files are named: samples of the test data of the run follow');
  const { data } = await recipeDataOf(opened, terminal);
  const { test } = data;
  const count = wholeNumber('--test', text, { least: 1, most: test.manifest.samples });
  return { idHeadings: ['sample'], batches: () => datasetBatches(opened.stored, test, count) };
}

/** What reads files for a model whose recipe has a function for it. */
async function readerOf(opened: OpenedModel, terminal: Terminal) {
  const { stored, builtFrom } = opened;
  if (stored.preprocessing.kind !== 'fields' || !stored.preprocessing.isReadByRecipe) return undefined;
  return async (file: string) => {
    const source = builtFrom ?? (await recipeDataOf(opened, terminal));
    const { inputs } = source.data;
    if (inputs !== undefined) return inputs(file);
    throw new UserError(
      `${file} cannot be read: the recipe ${stored.recipe} has no function for it; give the values of the inputs as JSON: ` +
        `{${stored.network.inputs.map(({ name }) => `"${name}": [[...], ...]`).join(', ')}}`,
      2,
    );
  };
}

/** How predictions are written. */
interface Lines {
  readonly head: string;
  of(id: readonly string[], prediction: Prediction): string;
}

function csvLines({ idHeadings }: InputFiles, headings: readonly string[]): Lines {
  const line = (cells: readonly (string | number)[]): string => `${cells.map(csvCell).join(',')}\n`;
  return { head: line([...idHeadings, ...headings]), of: (id, { values }) => line([...id, ...values]) };
}

function jsonLines({ idHeadings }: InputFiles, headings: readonly string[]): Lines {
  return {
    head: '',
    of: (id, { values, outputs }) => {
      const named = Object.fromEntries([
        ...idHeadings.map((name, i) => [name, id[i]]),
        ...headings.map((name, i) => [name, typeof values[i] === 'number' ? numberOf(values[i]) : values[i]]),
      ]);
      return `${JSON.stringify({ ...named, outputs: Array.from(outputs, numberOf) })}\n`;
    },
  };
}

/** A cell as RFC 4180 writes it. */
function csvCell(value: string | number): string {
  const text = typeof value === 'number' ? float32Text(value) : value;
  return /[",\r\n]|^\s|\s$/.test(text) ? `"${text.replace(/"/g, '""')}"` : text;
}

function numberOf(value: number): number {
  return Number(float32Text(value));
}

/** The shortest decimal that is this float32 again. */
function float32Text(value: number): string {
  for (let digits = 6; digits < 9; digits++) {
    const text = value.toPrecision(digits);
    if (Math.fround(Number(text)) === value) return String(Number(text));
  }
  return String(Number(value.toPrecision(9)));
}
