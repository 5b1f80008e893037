/*
 * A checkpoint: all that a run needs to go on as if nothing had happened, as one safetensors file. The parameters stand
 * first, under their own names; behind them the weights of the best evaluation, where a run keeps them, as ~best/NAME, the
 * optimizer's vectors as ~optimizer/0/NAME, ~optimizer/1/NAME ..., and what a codec's rounding has taken from gradients,
 * where it is kept, as ~residual/NAME; the rest is text in its metadata. Which samples
 * a step takes, what is drawn at random and the learning rate follow from the settings, the step and that text.
 */
import * as v from 'valibot';
import { UserError } from '../../shared/errors.js';
import { decodeSafetensors } from '../../shared/files/safetensors-decoding.js';
import { packTensors } from '../../shared/files/safetensors-encoding.js';
import { sha256Hex } from '../../shared/files/sha256.js';
import { inNameOrder, isTensorName, type Tensor } from '../../shared/files/tensors.js';
import { StoppingStateSchema } from '../../shared/optim/early-stopping.js';
import { PlateauStateSchema } from '../../shared/optim/plateau.js';
import { STEP_MAX } from '../../shared/protocol/limits.js';

const FORMAT = 'unisum-checkpoint/1';
/** These sort behind every parameter, whose names begin with a letter. */
const BEST = '~best/';
const BUFFERS = '~optimizer/';
const RESIDUAL = '~residual/';

const step = v.pipe(v.number(), v.integer(), v.minValue(0), v.maxValue(STEP_MAX));
const ProgressSchema = v.strictObject({
  /** Steps done. */
  step,
  /** What the optimizer remembers besides its vectors. */
  optimizer: v.record(v.string(), v.number()),
  /** The best evaluation so far: after how many steps, and its mean loss. */
  best: v.nullable(v.strictObject({ step, loss: v.number() })),
  /** What evaluations have decided of the learning rate, and how long none was better, where that matters. */
  plateau: v.optional(PlateauStateSchema),
  stopping: v.optional(StoppingStateSchema),
});
const SettingsSchema = v.record(v.string(), v.unknown());

/** What a run remembers from step to step, besides vectors: plain data. */
export type RunProgress = v.InferOutput<typeof ProgressSchema>;

/** All settings that reach the weights, by name; survives JSON. */
export type WeightSettings = Readonly<Record<string, unknown>>;

/** All that a run needs to go on. */
export interface Checkpoint {
  readonly progress: RunProgress;
  readonly settings: WeightSettings;
  readonly parameters: readonly Tensor[];
  /** The optimizer's vectors: for each of its slots, tensors named and shaped as the parameters. */
  readonly buffers: readonly (readonly Tensor[])[];
  /** Weights of the best evaluation, where the run keeps them. */
  readonly best?: readonly Tensor[] | undefined;
  /** What a codec's rounding has taken from gradients, where it is added to the next ones. */
  readonly residual?: readonly Tensor[] | undefined;
}

/** A checkpoint as it was read, and the hash of everything in it. */
export type SavedCheckpoint = Checkpoint & { readonly sha256: string; readonly weightsSha256: string };

/** What identifies a checkpoint. */
export interface Fingerprints {
  readonly weightsSha256: string;
  /** SHA-256 of everything in it. */
  readonly sha256: string;
}

/** SHA-256 of bytes in hexadecimal, now or later. */
export type Hasher = (bytes: Uint8Array) => string | Promise<string>;

/** A checkpoint as the bytes of a file. */
interface EncodedCheckpoint {
  readonly pieces: readonly Uint8Array[];
  readonly weightsSha256: string;
  /** Of everything in it. */
  readonly sha256: string;
}

/**
 * The bytes of a checkpoint: the same for the same checkpoint, on every machine. The tensors are copied at once, before
 * anything is waited for.
 */
export async function encodeCheckpoint(
  { progress, settings, parameters, buffers, best = [], residual = [] }: Checkpoint,
  hash: Hasher,
): Promise<EncodedCheckpoint> {
  const { data, header } = packTensors([
    ...parameters,
    ...best.map((tensor) => ({ ...tensor, name: `${BEST}${tensor.name}` })),
    ...buffers.flatMap((vectors, buffer) =>
      vectors.map((tensor) => ({ ...tensor, name: `${BUFFERS}${buffer}/${tensor.name}` })),
    ),
    ...residual.map((tensor) => ({ ...tensor, name: `${RESIDUAL}${tensor.name}` })),
  ]);
  const metadata = {
    format: FORMAT,
    progress: JSON.stringify(progress),
    settings: JSON.stringify(settings),
    weightsSha256: await hash(data.subarray(0, bytesOf(parameters))),
    dataSha256: await hash(data),
  };
  const sha256 = sha256Hex(header(metadata));
  return {
    pieces: [header({ ...metadata, sha256 }), data],
    weightsSha256: metadata.weightsSha256,
    sha256,
  };
}

/**
 * Reads a checkpoint.
 * @param file what to name in errors
 * @throws UserError when anything in it is not as it was written
 */
export function decodeCheckpoint(bytes: Uint8Array, file: string): SavedCheckpoint {
  const { tensors, metadata } = decodeSafetensors(bytes, file);
  const { sha256, ...rest } = metadata;
  if (sha256 === undefined || rest.format !== FORMAT || !tensors.every(({ name }) => isTensorName(name)))
    throw new UserError(`${file} is no checkpoint of this version of unisum; name another`);
  // Packed again: a header that says the same in other words is no damage.
  const { data, header } = packTensors(tensors);
  const parameters = inNameOrder(
    tensors.filter(({ name }) => ![BUFFERS, BEST, RESIDUAL].some((prefix) => name.startsWith(prefix))),
  );
  const named = (prefix: string): Tensor[] =>
    tensors
      .filter(({ name }) => name.startsWith(prefix))
      .map((tensor) => ({ ...tensor, name: tensor.name.slice(prefix.length) }));
  const [best, residual] = [named(BEST), named(RESIDUAL)];
  const weightsSha256 = sha256Hex(data.subarray(0, bytesOf(parameters)));
  const { dataSha256 } = rest;
  if (
    sha256Hex(header(rest)) !== sha256 ||
    sha256Hex(data) !== dataSha256 ||
    weightsSha256 !== rest.weightsSha256
  )
    throw new UserError(`${file} is damaged: its content does not have the hash that it names; use another`);
  return {
    sha256,
    weightsSha256,
    progress: parse(ProgressSchema, rest.progress, file),
    settings: parse(SettingsSchema, rest.settings, file),
    parameters,
    buffers: buffersOf(tensors),
    ...(best.length > 0 && { best }),
    ...(residual.length > 0 && { residual }),
  };
}

function bytesOf(tensors: readonly Tensor[]): number {
  return tensors.reduce((sum, { values }) => sum + 4 * values.length, 0);
}

function buffersOf(tensors: readonly Tensor[]): Tensor[][] {
  const buffers: Tensor[][] = [];
  for (const tensor of tensors) {
    const match = /^~optimizer\/(\d{1,2})\/(.+)$/.exec(tensor.name);
    if (match === null) continue;
    const buffer = Number(match[1]);
    buffers[buffer] ??= [];
    buffers[buffer].push({ ...tensor, name: match[2] as string });
  }
  return buffers;
}

function parse<S extends v.GenericSchema>(
  schema: S,
  text: string | undefined,
  file: string,
): v.InferOutput<S> {
  const result = v.safeParse(v.pipe(v.string(), v.parseJson(), schema), text);
  if (result.success) return result.output;
  throw new UserError(`${file} is no checkpoint of this version of unisum; name another`);
}
