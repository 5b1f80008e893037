import type { Command } from 'commander';
import type { RecipeData } from '../../coordinator/recipe.js';
import { fieldValues } from '../../shared/data/field-values.js';
import { UserError } from '../../shared/errors.js';
import { readBoundedFile } from '../../shared/files/read-file.js';
import type { CommandContext } from './command.js';
import { addModelOptions, type ModelOptions, openModel } from './model-options.js';
import { wholeNumber } from './numbers.js';

interface PredictOptions extends ModelOptions {
  input?: string;
  test: string;
}

/** Largest file of inputs. */
const INPUT_BYTES_MAX = 2 ** 28;
/** Outputs of a row that people are shown. */
const SHOWN = 8;

/** `unisum predict <model>`: what a trained model makes of inputs. */
export function define(command: Command, { terminal }: CommandContext): void {
  addModelOptions(command)
    .option(
      '--input <FILE>',
      'JSON: for each input of the network its rows, {"image": [[...], ...]}; or what the data is made of: CSV, PNG, JPEG, WAV',
    )
    .option('--test <N>', "or the first N samples of the recipe's test data", '5')
    .action(async (path: string, options: PredictOptions) => {
      const { model, data } = await openModel(path, options, terminal);
      try {
        const names = model.model.inputs.map(({ name }) => name);
        const inputs =
          options.input === undefined
            ? testInputs(data, names, options.test)
            : await readInputs(options.input, data);
        const values = await model.predictor.predict(inputs);
        const outputs = rowsOf(values, values.length / model.outputFloats);
        for (const [i, row] of outputs.entries()) terminal.say(`${i}: ${describe(row, data.classes)}`);
        if (options.json) terminal.result({ outputs });
      } finally {
        await model.stop();
      }
    });
}

function testInputs(data: RecipeData, names: readonly string[], text: string): Record<string, Float32Array> {
  const { samples } = data.test.manifest;
  const count = wholeNumber('--test', text, { least: 1, most: samples });
  return Object.fromEntries(
    names.map((name) => [name, firstOf(fieldValues(data.test, name), count / samples)]),
  );
}

function firstOf(values: Float32Array, part: number): Float32Array {
  return values.subarray(0, Math.round(values.length * part));
}

async function readInputs(
  path: string,
  { inputs }: RecipeData,
): Promise<Readonly<Record<string, Float32Array>>> {
  if (inputs !== undefined && !path.endsWith('.json')) return await inputs(path);
  const text = new TextDecoder().decode(await readBoundedFile(path, INPUT_BYTES_MAX));
  const wrong = new UserError(
    `${path} is no JSON object of numbers by input; write {"name": [[...], ...]}`,
    2,
  );
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    throw wrong;
  }
  if (typeof value !== 'object' || value === null || Array.isArray(value)) throw wrong;
  return Object.fromEntries(
    Object.entries(value).map(([name, rows]) => {
      const flat: unknown[] = Array.isArray(rows) ? rows.flat(Number.POSITIVE_INFINITY) : [rows];
      if (!flat.every((x) => typeof x === 'number')) throw wrong;
      return [name, Float32Array.from(flat as number[])];
    }),
  );
}

function rowsOf(values: Float32Array, rows: number): number[][] {
  const width = values.length / rows;
  return Array.from({ length: rows }, (_, row) => [...values.subarray(row * width, (row + 1) * width)]);
}

/** The greatest of several outputs with its place or its class, or a few of them. */
function describe(row: readonly number[], classes?: readonly string[]): string {
  const place = row.indexOf(Math.max(...row));
  const best = classes?.length === row.length ? classes[place] : place;
  const shown = row.slice(0, SHOWN).map((value) => value.toPrecision(4));
  const rest = row.length > SHOWN ? ` and ${row.length - SHOWN} more` : '';
  return row.length === 1
    ? shown.join()
    : `${best} is greatest (${(row[place] as number).toPrecision(4)}) of ${shown.join(' ')}${rest}`;
}
