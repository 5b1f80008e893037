/*
 * What exported and imported layers models are compared with. It takes 294 MB, so it is used where it is: npm install
 * @tensorflow/tfjs in a folder that UNISUM_TFJS names.
 */
import { createRequire } from 'node:module';
import { join } from 'node:path';

const FOLDER = process.env.UNISUM_TFJS ?? '.';
const PACKAGE = '@tensorflow/tfjs';

export interface TfTensor {
  readonly shape: readonly number[];
  dataSync(): Float32Array;
}
interface TfWeights {
  readonly modelTopology: unknown;
  readonly weightSpecs: readonly {
    readonly name: string;
    readonly shape: number[];
    readonly dtype: string;
  }[];
  readonly weightData: ArrayBuffer;
}
/** A layer, called with `apply`. */
export interface TfLayer {
  apply(inputs: unknown): unknown;
}
export interface TfModel {
  predict(inputs: readonly TfTensor[]): TfTensor | TfTensor[];
  readonly weights: readonly {
    read(): TfTensor;
    write(value: TfTensor): void;
    readonly originalName: string;
  }[];
  save(handler: unknown): Promise<unknown>;
}
/** The parts of TensorFlow.js that are used here. */
export interface TensorFlowJs {
  tensor(values: Float32Array, shape: readonly number[]): TfTensor;
  readonly io: { withSaveHandler(save: (artifacts: TfWeights) => Promise<object>): unknown };
  readonly layers: Readonly<Record<string, (options: object) => TfLayer>>;
  input(options: object): unknown;
  model(options: object): TfModel;
  sequential(options: object): TfModel;
  loadLayersModel(handler: { load(): Promise<TfWeights> }): Promise<TfModel>;
  env(): { set(flag: string, value: unknown): void };
}

/** TensorFlow.js; undefined, told to who reads the output, where it is not installed. */
export function tensorFlowJs(): TensorFlowJs | undefined {
  try {
    const library = createRequire(join(FOLDER, 'package.json'))(PACKAGE) as TensorFlowJs;
    // It would advise people to install another package.
    library.env().set('IS_NODE', false);
    return library;
  } catch {
    process.stderr.write(
      `SKIPPED, no ${PACKAGE} here: npm install --ignore-scripts ${PACKAGE} in a folder, and UNISUM_TFJS=FOLDER\n`,
    );
    return undefined;
  }
}
