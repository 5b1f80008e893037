/*
 * A model as a `.keras` file of Keras 3: an archive of config.json, metadata.json and model.weights.h5 (keras/src/saving/saving_lib.py).
 */
import { zipSync } from 'fflate';
import type { Tensor } from '../../../shared/files/tensors.js';
import { encodeHdf5 } from './hdf5.js';
import { type KerasLayer, type LayerModel, type LayerOutput, weightPlaces } from './layer-model.js';

/** The version whose format this is. */
const KERAS_VERSION = '3.0.0';
/** Files in an archive have a date; this one makes equal models equal bytes. */
const DATE = new Date(1980, 0, 1);
const SAVED = '1980-01-01@00:00:00';

/** The bytes of a `.keras` file. @param name of the model */
export async function kerasFile(model: LayerModel, name: string): Promise<Uint8Array> {
  const json = (value: unknown): Uint8Array => new TextEncoder().encode(JSON.stringify(value));
  const weights = storedWeights(model.layers);
  return zipSync(
    {
      'metadata.json': json({ keras_version: KERAS_VERSION, date_saved: SAVED }),
      'config.json': json(kerasConfig(model, name)),
      // The group `layers` is there even if no layer has weights.
      'model.weights.h5': await encodeHdf5(weights, ['layers']),
    },
    { level: 0, mtime: DATE },
  );
}

/** The weights under the names that Keras looks for. */
function storedWeights(layers: readonly KerasLayer[]): Tensor[] {
  const places = weightPlaces(layers.map(({ className }) => className));
  return layers.flatMap(({ weights }, i) => {
    const counts = new Map<string, number>();
    return weights.map(({ within, values }) => {
      const folder = `layers/${places[i]}/${within === '' ? '' : `${within}/`}vars`;
      const index = counts.get(folder) ?? 0;
      counts.set(folder, index + 1);
      return { name: `${folder}/${index}`, shape: values.shape, values: values.values };
    });
  });
}

/** The content of config.json. */
function kerasConfig({ inputs, outputs, layers }: LayerModel, name: string): Record<string, unknown> {
  const place = ({ layer, call }: LayerOutput): unknown[] => [layer, call, 0];
  const places = (all: readonly LayerOutput[]): unknown[] =>
    all.length === 1 ? place(all[0] as LayerOutput) : all.map(place);
  return {
    module: 'keras.src.models.functional',
    class_name: 'Functional',
    config: {
      ...{ name, trainable: true },
      layers: layers.map((layer) => ({
        ...{
          module: 'keras.layers',
          class_name: layer.className,
          config: layer.config,
          registered_name: null,
        },
        ...{ name: layer.name, inbound_nodes: layer.calls.map(inboundNode) },
      })),
      ...{ input_layers: places(inputs), output_layers: places(outputs) },
    },
    registered_name: 'Functional',
    build_config: { input_shape: null },
    compile_config: null,
  };
}

/** A call with one tensor, or with a list of them. */
function inboundNode(inputs: readonly LayerOutput[]): Record<string, unknown> {
  const tensors = inputs.map(({ layer, call, shape }) => ({
    class_name: '__keras_tensor__',
    config: { shape: [null, ...shape], dtype: 'float32', keras_history: [layer, call, 0] },
  }));
  return { args: tensors.length === 1 ? tensors : [tensors], kwargs: {} };
}
