import { unzipSync } from 'fflate';
import { UserError } from '../../../../shared/errors.js';
import type { ImportedNetwork } from '../../imported-network.js';
import type { ImportOptions } from '../../onnx/import/import.js';
import { decodeHdf5 } from '../hdf5.js';
import { jsonOf, readLayers } from './layer-config.js';
import { KerasWeights } from './layer-weights.js';
import { translated } from './translate.js';

const [CONFIG, WEIGHTS] = ['config.json', 'model.weights.h5'];
/** Largest file of an archive, unpacked: the most that Node has in one piece. */
const ENTRY_BYTES_MAX = 2 ** 31 - 1;

/**
 * Reads a network from a `.keras` file of Keras 3.
 * @throws UserError that names every layer that cannot be translated
 */
export async function readKeras(
  bytes: Uint8Array,
  file: string,
  options: ImportOptions = {},
): Promise<ImportedNetwork> {
  const { [CONFIG]: config, [WEIGHTS]: weights } = entriesOf(bytes, file);
  if (config === undefined || weights === undefined)
    throw new UserError(
      `${file} has no ${config === undefined ? CONFIG : WEIGHTS}; save the model with Keras 3: model.save("model.keras")`,
    );
  const model = readLayers(jsonOf(config, file), file);
  return translated(model, new KerasWeights(await decodeHdf5(weights, file)), file, options);
}

function entriesOf(bytes: Uint8Array, file: string): Record<string, Uint8Array> {
  const wanted = [CONFIG, WEIGHTS] as readonly string[];
  let tooLarge: string | undefined;
  try {
    const entries = unzipSync(bytes, {
      filter({ name, originalSize }) {
        if (!wanted.includes(name)) return false;
        if (originalSize > ENTRY_BYTES_MAX) tooLarge = name;
        return originalSize <= ENTRY_BYTES_MAX;
      },
    });
    if (tooLarge === undefined) return entries;
  } catch {
    throw new UserError(`${file} is no .keras file of Keras 3 (an archive); save the model with Keras 3`);
  }
  throw new UserError(`${file}: its ${tooLarge} has more than ${ENTRY_BYTES_MAX} bytes`);
}
