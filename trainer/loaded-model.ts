import type { Dataset } from '../shared/data/dataset.js';
import { UserError } from '../shared/errors.js';
import type { Tensor } from '../shared/files/tensors.js';
import { weightsSha256 } from '../shared/files/tensors.js';
import { resolveModel } from '../shared/graph/resolve.js';
import { elementsOf, formatShape, type Shape } from '../shared/graph/shape.js';
import { checkOptionNames, didYouMean } from '../shared/nearest.js';
import {
  type ModelInputs,
  PREDICT_OPTIONS,
  type PredictOptions,
  predictInBatches,
} from './batched-prediction.js';
import { checkpointBytesMax } from './file-bounds.js';
import { type ExportFormat, FORMATS, writeExport } from './formats/export-files.js';
import { GENERATE_OPTIONS, type GenerateOptions, generationRequest } from './generation/generate-options.js';
import { TextGenerator } from './generation/generator.js';
import type { StoredModel } from './model-text.js';
import { availableCores } from './options/available-cores.js';
import { parseBackend } from './options/compute-options.js';
import { columnsOf, outputParts } from './output-parts.js';
import { type PredictedValue, type PredictionFormat, predictionFormat } from './predictions.js';
import {
  PREPROCESS_OPTIONS,
  type PreprocessedSamples,
  type PreprocessOptions,
  preprocessSamples,
} from './preprocessed-samples.js';
import { readToMeasure } from './samples-to-measure.js';
import { loadStoredModel } from './stored-model.js';
import { loadParameters, TrainedModel } from './trained-model.js';

/** How a trained model computes. */
export interface LoadOptions {
  /** Compute threads. Default: one per core. */
  readonly threads?: number;
  /** Kernel build; all give the same bits. Default: 'auto'. */
  readonly backend?: string;
}

/** How a model is written. */
export interface ExportOptions {
  /**
   * 'unisum': for `load`; 'onnx': an ONNX model with dynamic batch; 'pytorch': weights and a program for PyTorch; 'npz': weights for
   * NumPy. Default: 'unisum'.
   */
  readonly format?: ExportFormat;
}

/** How a model is measured. */
export interface EvaluateOptions {
  /** Ends the call: it rejects with the reason. */
  readonly signal?: AbortSignal;
  /**
   * Takes each note about a file or folder that is read, such as rows that are unlike the training data; `unisum eval` prints them. A
   * data set that is given has none.
   */
  readonly onNote?: (note: string) => void;
}

/** The names of EvaluateOptions. */
const EVALUATE_OPTIONS = ['signal', 'onNote'];
const THREADS_MAX = 256;

/**
 * Loads a trained model.
 * @param path a run directory, an export, or a file of weights in one of them
 * @returns the model, whose threads run until it is disposed of
 * @throws UserError when there is no model
 */
export async function load(path: string, options: LoadOptions = {}): Promise<LoadedModel> {
  checkOptionNames('load()', options, ['threads', 'backend']);
  const { threads = availableCores(), backend = 'auto' } = options;
  if (!Number.isInteger(threads) || threads < 1 || threads > THREADS_MAX)
    throw new UserError(`load() takes threads from 1 to ${THREADS_MAX}, not ${threads}`, 2);
  const stored = await loadStoredModel(path);
  const parameters = await loadParameters(path, checkpointBytesMax(stored.network));
  const format = predictionFormat(stored);
  const compute = { leafSize: stored.leafSize, threads, backend: parseBackend(backend) };
  const model = await TrainedModel.load({ ...compute, network: format.network }, parameters);
  return new LoadedModel(stored, parameters, format, model, compute);
}

/** A trained model: its network, its weights, and what its run has stored about its data. */
export class LoadedModel implements AsyncDisposable {
  private last: Promise<unknown> = Promise.resolve();
  private isDisposed = false;
  private generator: TextGenerator | undefined;

  constructor(
    private readonly stored: StoredModel,
    private readonly parameters: readonly Tensor[],
    private readonly format: PredictionFormat,
    private readonly model: TrainedModel,
    private readonly compute: Pick<
      Parameters<typeof TrainedModel.load>[0],
      'leafSize' | 'threads' | 'backend'
    >,
  ) {}

  /** The class names by number; undefined for a model without. */
  get classes(): readonly string[] | undefined {
    return this.stored.classes ?? undefined;
  }

  /** Shapes of the inputs for one sample, by name. */
  get inputs(): Readonly<Record<string, Shape>> {
    return Object.fromEntries(this.stored.network.inputs.map(({ name, shape }) => [name, shape]));
  }

  /** Shape of the output for one sample. Classifiers output probabilities, also where they were trained on logits. */
  get outputShape(): Shape {
    const { network } = this.format;
    return resolveModel(network).shapes.get(network.output) as Shape;
  }

  /** SHA-256 of the weights, as the run printed it. */
  get weightsSha256(): string {
    return weightsSha256([...this.parameters]);
  }

  /** The layers with their shapes and numbers of parameters, one line each. */
  summary(): string {
    const { model, nodes } = resolveModel(this.stored.network);
    const sizes = new Map(model.parameters.map(({ name, shape }) => [name, elementsOf(shape)]));
    const rows = [
      ...model.inputs.map(({ name, shape }) => [name, 'input', formatShape(shape), '']),
      ...nodes.map(({ name, op, shape, parameters }) => {
        const own = Object.values(parameters).reduce(
          (sum, parameter) => sum + (sizes.get(parameter) ?? 0),
          0,
        );
        return [name, op, formatShape(shape), own === 0 ? '' : String(own)];
      }),
    ];
    const widths = [0, 1, 2].map((column) => Math.max(...rows.map((row) => (row[column] ?? '').length)));
    const lines = rows.map((row) =>
      row
        .map((cell, column) => cell.padEnd(widths[column] ?? 0))
        .join('  ')
        .trimEnd(),
    );
    const total = [...sizes.values()].reduce((sum, size) => sum + size, 0);
    return [...lines, `${total} parameters, loss ${model.loss.kind}`].join('\n');
  }

  /**
   * Brings unlabelled samples to the form that the network takes, with what was fitted in training, as `unisum predict` does.
   * @param samples the path of a file or folder, several paths, or the rows of a table, an object with the units of the table for each
   * @returns the inputs for `predict`, and what each row is called
   * @throws UserError that names the file or row, and the remedy
   */
  async preprocess(
    samples: string | readonly string[] | readonly object[],
    options: PreprocessOptions = {},
  ): Promise<PreprocessedSamples> {
    checkOptionNames('preprocess()', options, PREPROCESS_OPTIONS);
    return preprocessSamples(this.stored, samples, options);
  }

  /**
   * The outputs for any number of rows. Overlapping calls are computed one after another.
   * @param inputs the values of each input by name, or the values of the only input
   * @returns rows * elements of `outputShape`
   * @throws UserError when an input is missing, unknown, or not a whole number of rows; the reason of an aborted signal
   */
  async predict(inputs: ModelInputs, options: PredictOptions = {}): Promise<Float32Array> {
    checkOptionNames('predict()', options, PREDICT_OPTIONS);
    return this.inTurn(() => predictInBatches(this.model.predictor, this.stored, inputs, options));
  }

  /** Names and shapes of the outputs of a model with several; undefined for a model with one. */
  get outputs(): Readonly<Record<string, Shape>> | undefined {
    const { outputs } = this.stored.network;
    return outputs && Object.fromEntries(outputs.map(({ name, shape }) => [name, shape]));
  }

  /**
   * Each output of a model with several, by name.
   * @param outputs what `predict` returned: all outputs of a row, one after the other
   * @returns rows * elements of each
   * @throws UserError for a model with one output
   */
  split(outputs: Float32Array): Readonly<Record<string, Float32Array>> {
    const parts = outputParts(this.stored.network);
    if (parts === undefined) throw new UserError('the model has one output; take it as it is');
    const rows = outputs.length / this.model.outputFloats;
    return Object.fromEntries(parts.map((part) => [part.name, columnsOf(outputs, rows, part)]));
  }

  /**
   * What the outputs say, one row after another: the class and its probability, or the values in the units of the data.
   * @param outputs what `predict` returned
   */
  read(outputs: Float32Array): Readonly<Record<string, PredictedValue>>[] {
    const { headings, read } = this.format;
    const elements = this.model.outputFloats;
    return Array.from({ length: outputs.length / elements }, (_, row) => {
      const values = read(outputs.subarray(row * elements, (row + 1) * elements));
      return Object.fromEntries(headings.map((heading, i) => [heading, values[i] as PredictedValue]));
    });
  }

  /**
   * Continues a text, symbol by symbol, with a model that was trained on one. A model of attention or recurrent layers keeps what
   * earlier positions have left (a KV cache); the text is the same without.
   * @param prompt the text to go on from
   * @throws UserError when the model writes no texts, or the prompt has characters that it has not learned; the reason of an
   *   aborted signal
   */
  async *generate(prompt: string, options: GenerateOptions = {}): AsyncGenerator<string, void, void> {
    checkOptionNames('generate()', options, GENERATE_OPTIONS);
    const { signal, ...settings } = options;
    const request = generationRequest(prompt, settings);
    this.generator ??= new TextGenerator(this.stored.network, this.stored, this.model);
    const symbols = this.generator.write(request);
    for (;;) {
      signal?.throwIfAborted();
      const { done, value } = await this.inTurn(() => symbols.next());
      if (done === true) return;
      yield value;
    }
  }

  /**
   * Measures the model on labelled samples.
   * @param data samples with the fields of the run, or the path of a file or folder that the stored preprocessing can read
   * @returns metrics such as testLoss and testAccuracy
   * @throws UserError when the samples do not fit the model; the reason of an aborted signal
   */
  async evaluate(
    data: Dataset | string,
    options: EvaluateOptions = {},
  ): Promise<Readonly<Record<string, number>>> {
    checkOptionNames('evaluate()', options, EVALUATE_OPTIONS);
    const { signal, onNote } = options;
    return this.inTurn(async () => {
      signal?.throwIfAborted();
      const test = typeof data === 'string' ? await this.readData(data, onNote) : data;
      signal?.throwIfAborted();
      const request = { ...this.compute, network: this.stored.network, data: test };
      const measured = await TrainedModel.load(request, this.parameters);
      const stop = (): void => void measured.stop();
      signal?.addEventListener('abort', stop, { once: true });
      try {
        return await measured.evaluate();
      } catch (error) {
        signal?.throwIfAborted();
        throw error;
      } finally {
        signal?.removeEventListener('abort', stop);
        await measured.stop();
      }
    });
  }

  /**
   * Writes the model for other tools, as `unisum export` does.
   * @param out a folder, which is created if it does not exist
   * @returns the paths of the files
   * @throws UserError when there is no such format, or the files cannot be written
   */
  async export(out: string, options: ExportOptions = {}): Promise<readonly string[]> {
    checkOptionNames('export()', options, ['format']);
    const { format = 'unisum' } = options;
    if (Object.hasOwn(FORMATS, format))
      return (await writeExport(this.stored, this.parameters, { format, out })).files;
    throw new UserError(
      `there is no format ${format}; ${didYouMean(format, Object.keys(FORMATS), 'formats')}`,
      2,
    );
  }

  /** Stops the threads, after the calls under way. May be called more than once. */
  async dispose(): Promise<void> {
    this.isDisposed = true;
    await this.last;
    await this.model.stop();
  }

  /** For `await using`. */
  [Symbol.asyncDispose](): Promise<void> {
    return this.dispose();
  }

  private inTurn<T>(act: () => Promise<T>): Promise<T> {
    if (this.isDisposed) return Promise.reject(new UserError('the model was disposed of; load it again'));
    const result = this.last.then(act);
    this.last = result.catch(() => {});
    return result;
  }

  private async readData(path: string, onNote: EvaluateOptions['onNote']): Promise<Dataset> {
    const { test, notes } = await readToMeasure(path, this.stored.preprocessing);
    for (const note of notes) onNote?.(note);
    return test;
  }
}
