import { concatenated } from '../shared/concatenated.js';
import type { Predictor } from '../shared/engine/passes/prediction.js';
import { UserError } from '../shared/errors.js';
import { elementsOf } from '../shared/graph/shape.js';
import type { StoredModel } from './model-text.js';

/** Values of one input: rows * elements numbers, as the network sees them, or bytes as they are stored in its data. */
export type InputValues = Float32Array | Uint8Array;

/** Values of the only input, or of each input by name. */
export type ModelInputs = InputValues | Readonly<Record<string, InputValues>>;

/** How one call computes. */
export interface PredictOptions {
  /** Rows that are computed before the signal is looked at again. Default: 1024. */
  readonly batch?: number;
  /** Ends the call: it rejects with the reason. */
  readonly signal?: AbortSignal;
}

/** The names of PredictOptions. */
export const PREDICT_OPTIONS = ['batch', 'signal'];
/** Rows of one call of the predictor by default. */
const PREDICTED_TOGETHER = 1024;

type Stored = Pick<StoredModel, 'network' | 'inputs'>;

/**
 * The outputs for any number of rows, some rows at a time.
 * @param pause what happens between two batches
 * @returns rows * elements of the network's output
 * @throws UserError when an input is missing, unknown, or not a whole number of rows; the reason of an aborted signal
 */
export async function predictInBatches(
  predictor: Pick<Predictor, 'predict'>,
  stored: Stored,
  given: ModelInputs,
  { batch = PREDICTED_TOGETHER, signal }: PredictOptions,
  pause: () => Promise<void> = () => Promise.resolve(),
): Promise<Float32Array> {
  if (!Number.isInteger(batch) || batch < 1)
    throw new UserError(`predict() takes a batch of 1 or more rows, not ${batch}`, 2);
  signal?.throwIfAborted();
  const inputs = asFloats(stored, given);
  const rows = rowsOf(stored, inputs);
  if (rows === undefined || rows <= batch) return predictor.predict(inputs);
  const parts: Float32Array[] = [];
  for (let from = 0; from < rows; from += batch) {
    if (from > 0) await pause();
    signal?.throwIfAborted();
    const part = Object.entries(inputs).map(([name, values]) => {
      const elements = values.length / rows;
      return [name, values.subarray(from * elements, (from + batch) * elements)] as const;
    });
    parts.push(await predictor.predict(Object.fromEntries(part)));
  }
  return concatenated(Float32Array, parts);
}

/** Rows of the inputs; undefined where they do not fit, which the predictor reports. */
function rowsOf({ network }: Stored, inputs: Readonly<Record<string, Float32Array>>): number | undefined {
  const counts = network.inputs.map(
    ({ name, shape }) => (inputs[name]?.length ?? Number.NaN) / elementsOf(shape),
  );
  const [rows] = counts;
  const isWhole = Number.isInteger(rows) && counts.every((count) => count === rows);
  return isWhole && counts.length === Object.keys(inputs).length ? rows : undefined;
}

function asFloats({ network, inputs }: Stored, given: ModelInputs): Readonly<Record<string, Float32Array>> {
  const names = network.inputs.map(({ name }) => name);
  if (typeof given !== 'object' || given === null || Array.isArray(given))
    throw new UserError(
      `predict() takes a Float32Array with the values of ${names[0]}, or an object with those of each input; in Node, ` +
        'await model.preprocess(...) makes inputs of files and rows',
      2,
    );
  const named = isValues(given) ? { [names[0] as string]: given } : given;
  if (isValues(given) && names.length > 1)
    throw new UserError(`the model has several inputs: give the values of each, { ${names.join(', ')} }`);
  return Object.fromEntries(
    Object.entries(named).map(([name, values]) => {
      if (values instanceof Float32Array) return [name, values];
      const input = inputs[name];
      if (!(values instanceof Uint8Array) || input?.isByte !== true)
        throw new UserError(
          `the input ${name} takes ${input?.isByte === true ? 'a Float32Array or a Uint8Array' : 'a Float32Array'}`,
        );
      return [name, Float32Array.from(values, (byte) => byte * input.scale + input.shift)];
    }),
  );
}

function isValues(value: unknown): value is InputValues {
  return value instanceof Float32Array || value instanceof Uint8Array;
}
