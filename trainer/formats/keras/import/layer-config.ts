/*
 * Layers as config.json of a `.keras` file and model.json of TensorFlow.js describe them: the same words, with other calls.
 */
import { UserError } from '../../../../shared/errors.js';

/** Nested models that are followed. */
const NESTED_MAX = 16;

/** An output of a call of a layer. */
export interface OutputPlace {
  readonly layer: string;
  readonly call: number;
  readonly output: number;
}

/** A layer of a file. */
export interface ReadLayer {
  readonly className: string;
  readonly name: string;
  readonly config: Config;
  /** What each call has as its tensors. */
  readonly calls: readonly ReadCall[];
  /** The layers of a model that is a layer of another. */
  readonly model: ReadLayers | undefined;
}

interface ReadCall {
  readonly inputs: readonly OutputPlace[];
  /** Tensors that are given by name, such as a mask or an initial state. */
  readonly named: readonly string[];
}

/** The layers of a model. */
export interface ReadLayers {
  readonly kind: 'sequential' | 'functional';
  readonly layers: readonly ReadLayer[];
  readonly inputs: readonly OutputPlace[];
  readonly outputs: readonly OutputPlace[];
}

export type Config = Readonly<Record<string, unknown>>;

const MODELS: Readonly<Record<string, ReadLayers['kind']>> = {
  Functional: 'functional',
  Model: 'functional',
  Sequential: 'sequential',
};

/** @throws UserError when it is no description of layers */
export function readLayers(value: unknown, file: string): ReadLayers {
  const { class_name: className, config } = recordOf(value, file);
  const kind = MODELS[String(className)];
  if (kind === undefined)
    throw new UserError(
      `${file} holds a ${String(className)}, which is no functional or sequential model; save it as one`,
    );
  return layersOf(kind, config, file, 0);
}

function layersOf(kind: ReadLayers['kind'], value: unknown, file: string, depth: number): ReadLayers {
  if (depth > NESTED_MAX) throw damaged(file);
  // Older sequential models are a plain list.
  const config = Array.isArray(value) ? { layers: value } : recordOf(value, file);
  const layers = listOf(config.layers, file).map((entry) => layerOf(entry, file, depth));
  if (kind === 'functional') {
    const [inputs, outputs] = [placesOf(config.input_layers, file), placesOf(config.output_layers, file)];
    return { kind, layers, inputs, outputs };
  }
  return { kind, layers, inputs: [], outputs: [] };
}

function layerOf(entry: unknown, file: string, depth: number): ReadLayer {
  const layer = recordOf(entry, file);
  const className = String(layer.class_name);
  const kind = MODELS[className];
  const config = Array.isArray(layer.config) ? {} : recordOf(layer.config ?? {}, file);
  const name = String(layer.name ?? config.name ?? className);
  const calls = layer.inbound_nodes === undefined ? [] : listOf(layer.inbound_nodes, file);
  return {
    ...{ className, name, config },
    calls: calls.map((call) => callOf(call, file)),
    model: kind === undefined ? undefined : layersOf(kind, layer.config, file, depth + 1),
  };
}

/** Keras 3 has the arguments of the call; before, it was a list of places, each with arguments by name. */
function callOf(call: unknown, file: string): ReadCall {
  if (Array.isArray(call)) {
    const named = call.flatMap((place) => Object.entries((place as unknown[])[3] ?? {}));
    return {
      inputs: call.map((place) => placeOf(place, file)),
      named: named.filter(([, value]) => Array.isArray(value)).map(([name]) => name),
    };
  }
  const { args, kwargs } = recordOf(call, file);
  const named = Object.entries(recordOf(kwargs ?? {}, file));
  return {
    inputs: tensorsIn(args, file, 0),
    named: named.filter(([, value]) => tensorsIn(value, file, 0).length > 0).map(([name]) => name),
  };
}

/** The tensors among arguments, in order. */
function tensorsIn(value: unknown, file: string, depth: number): OutputPlace[] {
  if (typeof value !== 'object' || value === null) return [];
  if (depth > NESTED_MAX) throw damaged(file);
  if (Array.isArray(value)) return value.flatMap((part) => tensorsIn(part, file, depth + 1));
  const { class_name: className, config } = value as Config;
  if (className === '__keras_tensor__') return [placeOf(recordOf(config, file).keras_history, file)];
  return Object.values(value).flatMap((part) => tensorsIn(part, file, depth + 1));
}

/** One place, a list of them, or places by name. */
function placesOf(value: unknown, file: string): OutputPlace[] {
  if (Array.isArray(value) && typeof value[0] === 'string') return [placeOf(value, file)];
  const places = Array.isArray(value) ? value : Object.values(recordOf(value, file));
  return places.map((place) => placeOf(place, file));
}

function placeOf(value: unknown, file: string): OutputPlace {
  const [layer, call, output] = Array.isArray(value) ? value : [];
  if (typeof layer !== 'string' || !Number.isInteger(call) || !Number.isInteger(output)) throw damaged(file);
  return { layer, call: call as number, output: output as number };
}

/** @throws UserError unless it is an object */
export function recordOf(value: unknown, file: string): Config {
  if (typeof value === 'object' && value !== null && !Array.isArray(value)) return value as Config;
  throw damaged(file);
}

/** @throws UserError unless it is a list */
export function listOf(value: unknown, file: string): readonly unknown[] {
  if (Array.isArray(value)) return value;
  throw damaged(file);
}

/** @throws UserError when the text is no JSON */
export function jsonOf(bytes: Uint8Array, file: string): unknown {
  try {
    return JSON.parse(new TextDecoder().decode(bytes));
  } catch {
    throw damaged(file);
  }
}

function damaged(file: string): UserError {
  return new UserError(`${file} does not describe layers of Keras or TensorFlow.js; save the model again`);
}
