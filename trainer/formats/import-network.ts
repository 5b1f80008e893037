import { UserError } from '../../shared/errors.js';
import { readBoundedFile } from '../../shared/files/read-file.js';
import { checkOptionNames } from '../../shared/nearest.js';
import type { ImportedNetwork } from './imported-network.js';
import { readKeras } from './keras/import/read-keras.js';
import { readTfjs } from './keras/import/read-tfjs.js';
import { type ImportOptions, readOnnx } from './onnx/import/import.js';

/** Largest file that is read: the most that Node reads at once. */
const FILE_BYTES_MAX = 2 ** 31 - 1;

/** What reads a file, by the ending of its name. */
const READERS: Readonly<
  Record<
    string,
    (bytes: Uint8Array, file: string, options: ImportOptions) => ImportedNetwork | Promise<ImportedNetwork>
  >
> = { '.onnx': readOnnx, '.keras': readKeras, '.json': readTfjs };

/**
 * Reads a network that was trained elsewhere, to go on training it or to predict.
 * @param path an ONNX file, a .keras file of Keras 3, or the model.json of a layers model of TensorFlow.js
 * @throws UserError when it cannot be read, naming everything that cannot be translated
 */
export async function importNetwork(path: string, options: ImportOptions = {}): Promise<ImportedNetwork> {
  checkOptionNames('importNetwork()', options, ['inputs', 'output']);
  const reader = Object.entries(READERS).find(([ending]) => path.toLowerCase().endsWith(ending))?.[1];
  if (reader === undefined)
    throw new UserError(
      `${path} is no ONNX file (.onnx), .keras file of Keras 3 or model.json of TensorFlow.js; export the model as one with the ` +
        'tool that trained it',
      2,
    );
  return reader(await readBoundedFile(path, FILE_BYTES_MAX), path, options);
}
