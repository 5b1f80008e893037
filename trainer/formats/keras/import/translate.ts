/*
 * Layers of Keras as a network that can go on learning. What cannot be translated is named, all of it at once.
 */
import { UserError } from '../../../../shared/errors.js';
import type { LayerIdentity, Tensor } from '../../../../shared/graph/graph.js';
import type { OpName } from '../../../../shared/graph/ops/table.js';
import { ImportedNetwork } from '../../imported-network.js';
import { NetworkBuilder } from '../../network-builder.js';
import { Untranslatable, untranslatableFile } from '../../untranslatable.js';
import type { OutputPlace, ReadLayer, ReadLayers } from './layer-config.js';
import type { LayerReader, LayerUse } from './layer-use.js';
import type { WeightSource } from './layer-weights.js';
import { PLAIN_LAYERS } from './plain-layers.js';
import { RECURRENT_LAYERS } from './recurrent-layers.js';
import { WINDOW_LAYERS } from './window-layers.js';

const READERS: Readonly<Record<string, LayerReader>> = {
  ...PLAIN_LAYERS,
  ...WINDOW_LAYERS,
  ...RECURRENT_LAYERS,
};

/** How a file is read. */
interface TranslationOptions {
  readonly inputs?: Readonly<Record<string, readonly number[]>>;
  /** Name of the layer whose output is taken. */
  readonly output?: string;
}

/** @throws UserError that names every layer that cannot be translated */
export function translated(
  model: ReadLayers,
  source: WeightSource,
  file: string,
  { inputs: given = {}, output }: TranslationOptions,
): ImportedNetwork {
  const translation = new Translation(source);
  const { builder } = translation;
  const inputs = inputShapes(model, given, file).map(([name, shape]) => builder.addInput(name, shape));
  const places = outputPlaces(model);
  const names = places.map(({ layer }) => layer);
  const chosen = output === undefined ? 0 : names.indexOf(output);
  if (chosen < 0) throw new UserError(`${file} has no output ${output}; its outputs are ${names.join(', ')}`);
  const results = translation.model(model, inputs, '');
  if (translation.problems.length > 0) throw untranslatableFile(file, 'layers', translation.problems);
  const result = results[chosen];
  if (result === undefined) throw new UserError(`${file}: nothing computes its output; save it again`);
  const others = names.filter((_, i) => i !== chosen);
  const notes = [
    ...translation.notes,
    ...(others.length === 0 ? [] : [`the outputs ${others.join(', ')} are left out`]),
  ];
  return new ImportedNetwork({
    ...{ graph: builder.graph, output: result, notes },
    parameters: builder.weights,
  });
}

/** The names and shapes of the inputs. @throws UserError that names every input whose shape is open */
function inputShapes(
  model: ReadLayers,
  given: Readonly<Record<string, readonly number[]>>,
  file: string,
): [name: string, shape: readonly number[]][] {
  const first = model.layers[0];
  const layers =
    model.kind === 'functional'
      ? model.inputs.map(({ layer }) => model.layers.find(({ name }) => name === layer))
      : [first];
  const inputs = layers.map((layer): [string, unknown] => {
    const { batch_shape: batch = layer?.config.batch_input_shape, name } = layer?.config ?? {};
    const own = layer?.className === 'InputLayer' ? String(layer.name) : `${String(name ?? 'x')}_input`;
    return [own, Array.isArray(batch) ? batch.slice(1) : undefined];
  });
  const names = inputs.map(([name]) => name);
  const unknown = Object.keys(given).find((name) => !names.includes(name));
  if (unknown !== undefined)
    throw new UserError(`${file} has no input ${unknown}; its inputs are ${names.join(', ')}`);
  const shapes = inputs.map(([name, own]): [string, readonly unknown[] | undefined] => [
    name,
    given[name] ?? (own as readonly unknown[] | undefined),
  ]);
  const open = shapes.filter(
    ([, shape]) => shape === undefined || shape.some((size) => typeof size !== 'number'),
  );
  if (open.length === 0) return shapes as [string, readonly number[]][];
  const listed = open.map(
    ([name, shape]) => `${name} is [${(shape ?? []).map((size) => size ?? '?').join(', ')}]`,
  );
  throw new UserError(
    `${file} leaves shapes open: ${listed.join('; ')} for one sample; give the shape of a sample, as in ` +
      `--input-shape ${names[0]}=28,28,1`,
  );
}

function outputPlaces(model: ReadLayers): readonly OutputPlace[] {
  const last = model.layers.at(-1)?.name ?? '';
  return model.kind === 'functional' ? model.outputs : [{ layer: last, call: 0, output: 0 }];
}

class Translation {
  readonly builder = new NetworkBuilder();
  readonly problems: string[] = [];
  readonly notes = new Set<string>();
  private readonly identities = new Map<string, LayerIdentity>();

  constructor(private readonly source: WeightSource) {}

  /** Adds the layers of a model. @returns its outputs; undefined where something before has no counterpart */
  model(model: ReadLayers, inputs: readonly (Tensor | undefined)[], path: string): (Tensor | undefined)[] {
    const paths = this.source.places(path, model.layers);
    const pathOf = new Map(model.layers.map(({ name }, i) => [name, paths[i] as string]));
    if (model.kind === 'sequential') {
      const layers = model.layers.filter(({ className }) => className !== 'InputLayer');
      return [
        layers.reduce<Tensor | undefined>(
          (x, layer) => this.call(layer, [x], [], pathOf.get(layer.name) as string)[0],
          inputs[0],
        ),
      ];
    }
    const known = new Map<string, (Tensor | undefined)[]>();
    model.inputs.forEach(({ layer }, i) => {
      known.set(`0 ${layer}`, [inputs[i]]);
    });
    const keyOf = callKeys(model);
    // Shared layers may be called with what comes later in the list.
    let waiting = model.layers.flatMap((layer) => layer.calls.map((call, at) => ({ layer, call, at })));
    while (waiting.length > 0) {
      const isReady = (place: OutputPlace): boolean => known.has(keyOf(place));
      const ready = waiting.filter(({ call }) => call.inputs.every(isReady));
      if (ready.length === 0) break;
      for (const { layer, call, at } of ready) {
        const tensors = call.inputs.map((place) => known.get(keyOf(place))?.[place.output]);
        known.set(
          `${at} ${layer.name}`,
          this.call(layer, tensors, call.named, pathOf.get(layer.name) as string),
        );
      }
      waiting = waiting.filter((entry) => !ready.includes(entry));
    }
    return model.outputs.map((place) => known.get(keyOf(place))?.[place.output]);
  }

  private call(
    layer: ReadLayer,
    inputs: readonly (Tensor | undefined)[],
    named: readonly string[],
    path: string,
  ): (Tensor | undefined)[] {
    const { className, name, config } = layer;
    if (layer.model !== undefined) return this.model(layer.model, inputs, path);
    const reader = READERS[className];
    if (reader === undefined) {
      this.problems.push(`${className} (${name}): no counterpart`);
      return [];
    }
    // What follows from something untranslatable is no problem of its own.
    if (inputs.some((input) => input === undefined)) return [];
    const use: LayerUse = {
      ...{ builder: this.builder, config, inputs: inputs as [Tensor, ...Tensor[]] },
      identity: (op, part) =>
        this.identity(op, `${path} ${part ?? ''}`, part === undefined ? name : `${name}/${part}`),
      weights: (roles, within) => this.source.weights(path, roles, within),
      note: (text) => this.notes.add(text),
    };
    try {
      if (named.length > 0) throw new Untranslatable(`inputs by name: ${named.join(', ')}`);
      return [reader(use)];
    } catch (error) {
      if (!(error instanceof UserError)) throw error;
      this.problems.push(`${className} (${name}): ${error.message}`);
      return [];
    }
  }

  private identity(op: OpName, key: string, name: string): LayerIdentity {
    const known = this.identities.get(key) ?? this.builder.identity(op, name);
    this.identities.set(key, known);
    return known;
  }
}

/**
 * How calls of a layer are known. Those of a model that is a layer may be counted from 1, because its own inputs and outputs count
 * as a call.
 */
function callKeys({ layers, outputs }: ReadLayers): (place: OutputPlace) => string {
  const places = [...layers.flatMap(({ calls }) => calls.flatMap(({ inputs }) => inputs)), ...outputs];
  const first = new Map(
    layers.map(({ name, model, calls }) => {
      const used = places.filter(({ layer }) => layer === name).map(({ call }) => call);
      return [name, model !== undefined && Math.max(-1, ...used) >= calls.length ? 1 : 0];
    }),
  );
  return ({ layer, call }) => `${call - (first.get(layer) ?? 0)} ${layer}`;
}
