/*
 * The public face of `unisum/browser`: trained models in a page or a web worker, with the bits of Node.
 */
import { systemClock } from '../../shared/actor/clock.js';
import { createPlan } from '../../shared/compiler/plan.js';
import { packDataset } from '../../shared/data/dataset.js';
import { DataStore } from '../../shared/engine/data-store.js';
import { Device } from '../../shared/engine/device.js';
import { Predictor } from '../../shared/engine/passes/prediction.js';
import { putTensors } from '../../shared/engine/run-memory.js';
import { OwnThread } from '../../shared/engine/threads/own-thread.js';
import type { Platform } from '../../shared/engine/threads/thread-host.js';
import { messageOf, UserError } from '../../shared/errors.js';
import { decodeSafetensors } from '../../shared/files/safetensors-decoding.js';
import type { Model } from '../../shared/graph/model.js';
import { resolveModel } from '../../shared/graph/resolve.js';
import { elementsOf, type Shape } from '../../shared/graph/shape.js';
import { loadWasm, type WasmBuild } from '../../shared/kernels/wasm-kernels.js';
import { checkOptionNames } from '../../shared/nearest.js';
import {
  type InputValues,
  type ModelInputs,
  PREDICT_OPTIONS,
  type PredictOptions,
  predictInBatches,
} from '../../trainer/batched-prediction.js';
import { parseStoredText, type StoredModel } from '../../trainer/model-text.js';
import { type PredictedValue, type PredictionFormat, predictionFormat } from '../../trainer/predictions.js';
import { sha256Hex } from '../worker/web-sha256.js';

export type { InputValues, ModelInputs, PredictedValue, PredictOptions, Shape };
export { UserError };

/** The two files of an export, wherever they come from: a form, a cache, a bundle. */
export interface ModelFiles {
  /** The text of model.json. */
  readonly model: string;
  /** The bytes of model.safetensors. */
  readonly weights: Uint8Array;
}

/** How a model is loaded. */
export interface LoadOptions {
  /** Kernel build; both give the same bits. Default: 'auto', which is 'wasm' where the browser has relaxed SIMD. */
  readonly backend?: 'auto' | 'wasm' | 'wasm-exact';
  /** Where relaxed.wasm and exact.wasm lie. Default: in the package, where bundlers find them. */
  readonly kernels?: string | URL;
  /** Ends the loading: it rejects with the reason. */
  readonly signal?: AbortSignal;
}

/** The files of an export. */
const [MODEL, WEIGHTS] = ['model.json', 'model.safetensors'];
/** Of wasm, in the package. The expressions stand here as bundlers look for them. */
const KERNELS: Readonly<Record<WasmBuild, () => URL>> = {
  relaxed: () => new URL('../../shared/kernels/wasm/relaxed.wasm', import.meta.url),
  exact: () => new URL('../../shared/kernels/wasm/exact.wasm', import.meta.url),
};

/**
 * Loads a trained model.
 * @param source the address of an export (`unisum export RUN --out DIR`): the folder of its model.json and model.safetensors; or the
 *   content of the two
 * @returns the model, which computes in the thread that calls it
 * @throws UserError when a file cannot be loaded or is damaged; the reason of an aborted signal
 */
export async function load(
  source: string | URL | ModelFiles,
  options: LoadOptions = {},
): Promise<BrowserModel> {
  checkOptionNames('load()', options, ['backend', 'kernels', 'signal']);
  const { backend = 'auto', kernels, signal } = options;
  if (!['auto', 'wasm', 'wasm-exact'].includes(backend))
    throw new UserError(`load() takes the backend auto, wasm or wasm-exact, not ${JSON.stringify(backend)}`);
  const { model, weights } = await filesOf(source, signal);
  const stored = parseStoredText(model, MODEL);
  const format = predictionFormat(stored);
  const plan = createPlan(format.network);
  const device = await Device.start(1, backend, ownThread(kernels, signal));
  try {
    const { memory } = device;
    const at = memory.allocate(plan.parameterFloats * 4, 'parameters');
    const runMemory = {
      memory,
      plan,
      leafSize: stored.leafSize,
      weights: at,
      data: zeroSample(device, format.network),
    };
    putTensors(runMemory, at, decodeSafetensors(weights, WEIGHTS).tensors);
    return new BrowserModel(device, stored, format, new Predictor(device.threadPool, runMemory));
  } catch (error) {
    await device.stop();
    throw error;
  }
}

/** A trained model in a browser. */
export class BrowserModel {
  private readonly elements: number;
  private isDisposed = false;

  /** @internal */
  constructor(
    private readonly device: Device,
    private readonly stored: StoredModel,
    private readonly format: PredictionFormat,
    private readonly predictor: Predictor,
  ) {
    this.elements = elementsOf(this.outputShape);
  }

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

  /** The kernel build that computes: 'wasm' or 'wasm-exact'. */
  get backend(): string {
    return this.device.threadPool.backend;
  }

  /**
   * The outputs for any number of rows.
   * @param inputs the values of each input by name, or the values of the only input
   * @returns rows * elements of `outputShape`, with the bits that `predict` of Node gives
   * @throws UserError when an input is missing, unknown, or not a whole number of rows; the reason of an aborted signal
   */
  async predict(inputs: ModelInputs, options: PredictOptions = {}): Promise<Float32Array> {
    checkOptionNames('predict()', options, PREDICT_OPTIONS);
    if (this.isDisposed) throw new UserError('the model was disposed of; load it again');
    return predictInBatches(this.predictor, this.stored, inputs, options, turnOfThePage);
  }

  /**
   * What the outputs say, one row after another: the class and its probability, or the values in the units of the data.
   * @param outputs what `predict` returned
   */
  read(outputs: Float32Array): Readonly<Record<string, PredictedValue>>[] {
    const { headings, read } = this.format;
    return Array.from({ length: outputs.length / this.elements }, (_, row) => {
      const values = read(outputs.subarray(row * this.elements, (row + 1) * this.elements));
      return Object.fromEntries(headings.map((heading, i) => [heading, values[i] as PredictedValue]));
    });
  }

  /** Frees the kernels. May be called more than once. */
  async dispose(): Promise<void> {
    this.isDisposed = true;
    await this.device.stop();
  }
}

/** The page draws and listens between two batches. */
function turnOfThePage(): Promise<void> {
  return new Promise((resolve) => void systemClock.after(0, resolve));
}

async function filesOf(
  source: string | URL | ModelFiles,
  signal: AbortSignal | undefined,
): Promise<ModelFiles> {
  if (typeof source !== 'string' && !(source instanceof URL)) return source;
  const folder = new URL(String(source).replace(/\/?$/, '/'), globalThis.location?.href);
  const [model, weights] = await Promise.all(
    [MODEL, WEIGHTS].map((name) => download(new URL(name as string, folder), signal)),
  );
  return { model: new TextDecoder().decode(model), weights: weights as Uint8Array };
}

async function download(url: URL, signal: AbortSignal | undefined): Promise<Uint8Array<ArrayBuffer>> {
  const response = await fetch(url, signal === undefined ? {} : { signal }).catch((error: unknown) => {
    signal?.throwIfAborted();
    throw new UserError(`${url} cannot be loaded: ${messageOf(error)}`);
  });
  if (!response.ok) throw new UserError(`${url} cannot be loaded: HTTP status ${response.status}`);
  return new Uint8Array(await response.arrayBuffer());
}

/** Computing in the thread that calls. */
function ownThread(kernels: string | URL | undefined, signal: AbortSignal | undefined): Platform {
  const place = (build: WasmBuild): URL =>
    kernels === undefined
      ? KERNELS[build]()
      : new URL(`${build}.wasm`, new URL(String(kernels).replace(/\/?$/, '/'), globalThis.location?.href));
  const loadKernels: Platform['loadKernels'] = ({ backend, ...options }) => {
    if (backend === 'native') throw new UserError('browsers have no native kernels; use auto');
    return loadWasm(
      (build) => download(place(build), signal),
      backend === 'auto' ? 'wasm' : backend,
      options,
    );
  };
  return {
    cores: 1,
    startThreads: (tasks, onFailure) => new OwnThread(tasks, onFailure, loadKernels),
    loadKernels,
    sha256Hex,
  };
}

/** One sample of zeros: predictions bring their own data. */
function zeroSample({ memory }: Device, { inputs }: Model): DataStore {
  const columns = inputs.map(({ name, shape }) => {
    const bytes = new Uint8Array(elementsOf(shape) * 4);
    return [name, { dtype: 'f32', shape, bytes, scale: 1, shift: 0 }] as const;
  });
  const { manifest, chunk } = packDataset('none', 1, Object.fromEntries(columns), sha256Hex);
  const store = new DataStore(memory, manifest, 0);
  for (const index of store.missing()) store.put(index, chunk(index));
  return store;
}
