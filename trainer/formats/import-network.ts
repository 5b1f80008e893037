import { UserError } from '../../shared/errors.js';
import { readBoundedFile } from '../../shared/files/read-file.js';
import { checkOptionNames } from '../../shared/nearest.js';
import type { ImportedNetwork } from './imported-network.js';
import { type ImportOptions, readOnnx } from './onnx/import/import.js';

/** Largest file that is read: the most that Node reads at once. */
const FILE_BYTES_MAX = 2 ** 31 - 1;

/**
 * Reads a network that was trained elsewhere, to go on training it or to predict.
 * @param path an ONNX file
 * @throws UserError when it cannot be read, naming everything that cannot be translated
 */
export async function importNetwork(path: string, options: ImportOptions = {}): Promise<ImportedNetwork> {
  checkOptionNames('importNetwork()', options, ['inputs', 'output']);
  if (!/\.onnx$/i.test(path))
    throw new UserError(
      `${path} is no ONNX file (.onnx); export the model as ONNX with the tool that trained it`,
      2,
    );
  return readOnnx(await readBoundedFile(path, FILE_BYTES_MAX), path, options);
}
