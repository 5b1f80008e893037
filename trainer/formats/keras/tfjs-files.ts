/*
 * A model as TensorFlow.js stores layers models: model.json with the layers, and the weights in files beside it.
 */
import { concatenated } from '../../../shared/concatenated.js';
import { canonicalBytes, type Tensor } from '../../../shared/files/tensors.js';
import type { LayerModel, LayerOutput } from './layer-model.js';

/** Largest file of weights, as the converter of TensorFlow.js cuts them. */
const SHARD_BYTES = 4 * 2 ** 20;
/** What the layers are written for. */
const LAYERS_VERSION = 'tfjs-layers 4.22.0';

/** The files of a model. @param name of the model, version of this program */
export function tfjsFiles(
  model: LayerModel,
  { name, version }: { readonly name: string; readonly version: string },
): [name: string, bytes: Uint8Array][] {
  const weights = tfjsWeights(model);
  const bytes = concatenated(
    Uint8Array,
    weights.map(({ values }) => canonicalBytes(values)),
  );
  const count = Math.max(1, Math.ceil(bytes.length / SHARD_BYTES));
  const paths = Array.from({ length: count }, (_, i) => `group1-shard${i + 1}of${count}.bin`);
  const json = {
    format: 'layers-model',
    generatedBy: LAYERS_VERSION,
    convertedBy: `unisum ${version}`,
    modelTopology: tfjsTopology(model, name),
    weightsManifest:
      weights.length === 0
        ? []
        : [
            {
              paths,
              weights: weights.map((tensor) => ({
                name: tensor.name,
                shape: tensor.shape,
                dtype: 'float32',
              })),
            },
          ],
  };
  const shards = weights.length === 0 ? [] : paths;
  return [
    ['model.json', new TextEncoder().encode(JSON.stringify(json))],
    ...shards.map((path, i): [string, Uint8Array] => [
      path,
      bytes.subarray(i * SHARD_BYTES, (i + 1) * SHARD_BYTES),
    ]),
  ];
}

/** The weights under the names that TensorFlow.js looks for. */
function tfjsWeights({ layers }: LayerModel): Tensor[] {
  return layers.flatMap((layer) =>
    layer.weights.map(({ within, role, values }) => ({
      name: [layer.name, ...(within === '' ? [] : [within]), role].join('/'),
      shape: values.shape,
      values: values.values,
    })),
  );
}

function tfjsTopology({ inputs, outputs, layers }: LayerModel, name: string): Record<string, unknown> {
  const place = ({ layer, call }: LayerOutput): unknown[] => [layer, call, 0];
  return {
    class_name: 'Model',
    config: {
      name,
      layers: layers.map((layer) => ({
        ...{ class_name: layer.className, config: layer.config, name: layer.name },
        inbound_nodes: layer.calls.map((call) => call.map((input) => [...place(input), {}])),
      })),
      ...{ input_layers: inputs.map(place), output_layers: outputs.map(place) },
    },
    ...{ keras_version: LAYERS_VERSION, backend: 'tensor_flow.js' },
  };
}
