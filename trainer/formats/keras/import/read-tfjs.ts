import { dirname, join } from 'node:path';
import { UserError } from '../../../../shared/errors.js';
import { readBoundedFile } from '../../../../shared/files/read-file.js';
import type { Tensor } from '../../../../shared/files/tensors.js';
import { elementsOf } from '../../../../shared/graph/shape.js';
import type { ImportedNetwork } from '../../imported-network.js';
import type { ImportOptions } from '../../onnx/import/import.js';
import { jsonOf, listOf, readLayers, recordOf } from './layer-config.js';
import { TfjsWeights } from './layer-weights.js';
import { translated } from './translate.js';

/** Largest file of weights. */
const SHARD_BYTES_MAX = 2 ** 31 - 1;

/**
 * Reads a network from the model.json of a layers model of TensorFlow.js, and the weights beside it.
 * @throws UserError that names every layer that cannot be translated
 */
export async function readTfjs(
  bytes: Uint8Array,
  file: string,
  options: ImportOptions = {},
): Promise<ImportedNetwork> {
  const { modelTopology, weightsManifest, format } = recordOf(jsonOf(bytes, file), file);
  if (format === 'graph-model')
    throw new UserError(`${file} is a graph model, which has no layers; convert the model as a layers model`);
  const topology = recordOf(modelTopology, file);
  // Converters of Keras files keep the model as one entry.
  const model = readLayers('model_config' in topology ? topology.model_config : topology, file);
  const tensors: Tensor[] = [];
  for (const group of listOf(weightsManifest ?? [], file)) {
    const { paths, weights } = recordOf(group, file);
    const shards = listOf(paths, file).map((path) => shardPath(String(path), file));
    const parts = await Promise.all(shards.map((path) => readBoundedFile(path, SHARD_BYTES_MAX)));
    tensors.push(...cut(Buffer.concat(parts), listOf(weights, file), file));
  }
  return translated(model, new TfjsWeights(tensors), file, options);
}

/** @throws UserError for a path outside of the folder of the model */
function shardPath(path: string, file: string): string {
  if (/^[\w.-]+(\/[\w.-]+)*$/.test(path) && !path.split('/').includes('..')) return join(dirname(file), path);
  throw new UserError(
    `${file} names ${JSON.stringify(path)}, which is no file beside it; save the model again`,
  );
}

/** The tensors of a group, which lie one after the other. */
function cut(bytes: Uint8Array, entries: readonly unknown[], file: string): Tensor[] {
  let at = 0;
  const tensors = entries.map((entry): Tensor => {
    const { name, shape, dtype, quantization } = recordOf(entry, file);
    const sizes = listOf(shape, file) as readonly number[];
    if (dtype !== 'float32' || quantization !== undefined)
      throw new UserError(
        `${file}: the weight ${String(name)} is ${quantization === undefined ? String(dtype) : 'quantized'}, not float32; ` +
          'convert the model without quantization',
      );
    const length = 4 * elementsOf(sizes);
    const own = bytes.slice(at, at + length);
    at += length;
    if (own.length !== length || !sizes.every((size) => Number.isInteger(size) && size >= 0))
      throw new UserError(`${file}: its weights are cut short; copy all files of the model`);
    return {
      name: String(name),
      shape: sizes,
      values: new Float32Array(own.buffer, own.byteOffset, length / 4),
    };
  });
  if (at !== bytes.length)
    throw new UserError(`${file}: its weights have ${bytes.length} bytes, not ${at}; save the model again`);
  return tensors;
}
