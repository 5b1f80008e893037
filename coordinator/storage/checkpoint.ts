/*
 * A checkpoint: all that a run needs to go on as if nothing had happened, as one safetensors file. The parameters stand
 * first, under their own names; behind them the weights of the best evaluation, where a run keeps them, as ~best/NAME, the
 * optimizer's vectors as ~optimizer/0/NAME, ~optimizer/1/NAME ..., and what a codec's rounding has taken from gradients,
 * where it is kept, as ~residual/NAME; the rest is text in its metadata. Which samples
 * a step takes, what is drawn at random and the learning rate follow from the settings, the step and that text.
 */
import * as v from 'valibot';
import { UserError } from '../../shared/errors.js';
import {
  decodeSafetensors,
  openSafetensors,
  type Safetensors,
} from '../../shared/files/safetensors-decoding.js';
import { layOutFile, type TensorFile } from '../../shared/files/safetensors-encoding.js';
import { sha256Hex, sha256OfPieces } from '../../shared/files/sha256.js';
import type { FileParts } from '../../shared/files/storage.js';
import { bytesOf, isTensorName, namedInOrder, type Tensor } from '../../shared/files/tensors.js';
import { StoppingStateSchema } from '../../shared/optim/early-stopping.js';
import { PlateauStateSchema } from '../../shared/optim/plateau.js';
import { STEP_MAX } from '../../shared/protocol/limits.js';

const FORMAT = 'unisum-checkpoint/1';
/**
 * Vectors of more bytes are not copied: they are saved from where they are and read to where they belong, because there may be no
 * memory for them twice. To copy fewer takes less time than to wait for the disk.
 */
export const COPIED_BYTES_MAX = 64 * 2 ** 20;
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

/** SHA-256 of consecutive pieces in hexadecimal, now or later. */
type PiecesHasher = (pieces: Iterable<Uint8Array>) => string | Promise<string>;

/** A checkpoint as the bytes of a file. */
interface EncodedCheckpoint<P extends Iterable<Uint8Array>> extends Fingerprints {
  readonly pieces: P;
}

/**
 * The bytes of a checkpoint: the same for the same checkpoint, on every machine. The tensors are copied at once, before
 * anything is waited for.
 * @param hash SHA-256 in hexadecimal, now or later
 */
export async function encodeCheckpoint(
  checkpoint: Checkpoint,
  hash: (bytes: Uint8Array) => string | Promise<string>,
): Promise<EncodedCheckpoint<readonly Uint8Array[]>> {
  const file = fileOf(checkpoint);
  const data = [...file.pieces(Number.POSITIVE_INFINITY)];
  const [bytes = new Uint8Array(0)] = data;
  const weightsSha256 = await hash(bytes.subarray(0, bytesOf(checkpoint.parameters)));
  const { header, ...fingerprints } = headOf(checkpoint, file, weightsSha256, await hash(bytes));
  return { pieces: [header, ...data], ...fingerprints };
}

/**
 * The same without a copy: the tensors are read once for the hashes, and again for the pieces. They must not change until the
 * last piece was taken.
 */
export async function encodeInPlace(
  checkpoint: Checkpoint,
  hash: PiecesHasher,
): Promise<EncodedCheckpoint<Iterable<Uint8Array>>> {
  const file = fileOf(checkpoint);
  const weightsSha256 = await hash(beginning(file.pieces(), bytesOf(checkpoint.parameters)));
  const dataSha256 = await hash(file.pieces());
  const { header, ...fingerprints } = headOf(checkpoint, file, weightsSha256, dataSha256);
  const pieces = function* (): Generator<Uint8Array> {
    yield header;
    yield* file.pieces();
  };
  return { pieces: pieces(), ...fingerprints };
}

/** The tensors of a checkpoint under the names that they have in its file. */
function fileOf({ parameters, buffers, best = [], residual = [] }: Checkpoint): TensorFile {
  return layOutFile([
    ...parameters,
    ...best.map((tensor) => renamed(tensor, `${BEST}${tensor.name}`)),
    ...buffers.flatMap((vectors, buffer) =>
      vectors.map((tensor) => renamed(tensor, `${BUFFERS}${buffer}/${tensor.name}`)),
    ),
    ...residual.map((tensor) => renamed(tensor, `${RESIDUAL}${tensor.name}`)),
  ]);
}

/** The header of a checkpoint, and what identifies it. */
function headOf(
  { progress, settings }: Pick<Checkpoint, 'progress' | 'settings'>,
  file: TensorFile,
  weightsSha256: string,
  dataSha256: string,
): Fingerprints & { readonly header: Uint8Array } {
  const metadata = {
    format: FORMAT,
    progress: JSON.stringify(progress),
    settings: JSON.stringify(settings),
    ...{ weightsSha256, dataSha256 },
  };
  const sha256 = sha256Hex(file.header(metadata));
  return { header: file.header({ ...metadata, sha256 }), weightsSha256, sha256 };
}

/** The same tensor under another name. Its values are looked at when they are needed: they may lie in a file. */
function renamed(tensor: Tensor, name: string): Tensor {
  return {
    ...{ name, shape: tensor.shape },
    get values() {
      return tensor.values;
    },
  };
}

/** The first bytes of consecutive pieces. */
function* beginning(pieces: Iterable<Uint8Array>, bytes: number): Generator<Uint8Array> {
  let left = bytes;
  for (const piece of pieces) {
    if (left === 0) return;
    yield piece.subarray(0, left);
    left -= Math.min(left, piece.length);
  }
}

/**
 * Reads a checkpoint.
 * @param file what to name in errors
 * @throws UserError when anything in it is not as it was written
 */
export function decodeCheckpoint(bytes: Uint8Array, file: string): SavedCheckpoint {
  const { weights, data, confirmed } = contentOf(decodeSafetensors(bytes, file), file);
  return confirmed(sha256OfPieces(weights()), sha256OfPieces(data()));
}

/**
 * Reads a checkpoint without its tensors: each is read whenever its values are looked at.
 * @param file what to name in errors
 * @throws UserError when anything in it is not as it was written; later, too, when the file is no longer what it was
 */
export async function openCheckpoint(
  parts: FileParts,
  file: string,
  hash: PiecesHasher,
): Promise<SavedCheckpoint> {
  const { weights, data, confirmed } = contentOf(openSafetensors(parts, file), file);
  return confirmed(await hash(weights()), await hash(data()));
}

/**
 * What a file says, and the bytes that it has to have. `confirmed` takes their hashes, and returns the checkpoint if they are
 * those that the file names.
 */
function contentOf({ tensors, metadata }: Safetensors, file: string) {
  const { sha256, ...rest } = metadata;
  if (sha256 === undefined || rest.format !== FORMAT || !tensors.every(({ name }) => isTensorName(name)))
    throw new UserError(`${file} is no checkpoint of this version of unisum; name another`);
  // Laid out again: a header that says the same in other words is no damage.
  const { pieces, header } = layOutFile(tensors);
  const parameters = namedInOrder(
    tensors.filter(({ name }) => ![BUFFERS, BEST, RESIDUAL].some((prefix) => name.startsWith(prefix))),
  );
  const named = (prefix: string): Tensor[] =>
    tensors
      .filter(({ name }) => name.startsWith(prefix))
      .map((tensor) => renamed(tensor, tensor.name.slice(prefix.length)));
  return {
    weights: () => beginning(pieces(), bytesOf(parameters)),
    data: () => pieces(),
    confirmed(weightsSha256: string, dataSha256: string): SavedCheckpoint {
      const isIntact =
        sha256Hex(header(rest)) === sha256 &&
        dataSha256 === rest.dataSha256 &&
        weightsSha256 === rest.weightsSha256;
      if (!isIntact)
        throw new UserError(
          `${file} is damaged: its content does not have the hash that it names; use another`,
        );
      const [best, residual] = [named(BEST), named(RESIDUAL)];
      return {
        ...{ sha256, weightsSha256 },
        progress: parse(ProgressSchema, rest.progress, file),
        settings: parse(SettingsSchema, rest.settings, file),
        parameters,
        buffers: buffersOf(tensors),
        ...(best.length > 0 && { best }),
        ...(residual.length > 0 && { residual }),
      };
    },
  };
}

function buffersOf(tensors: readonly Tensor[]): Tensor[][] {
  const buffers: Tensor[][] = [];
  for (const tensor of tensors) {
    const match = /^~optimizer\/(\d{1,2})\/(.+)$/.exec(tensor.name);
    if (match === null) continue;
    const buffer = Number(match[1]);
    buffers[buffer] ??= [];
    buffers[buffer].push(renamed(tensor, match[2] as string));
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
