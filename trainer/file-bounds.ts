/* How large files of a run can be that another person may have made: as large as its network needs. */
import { elementsOf } from '../shared/graph/shape.js';

/** Most bytes of the header of a safetensors file. */
const HEADER_BYTES_MAX = 16 * 2 ** 20;
/**
 * Most vectors of a checkpoint: the weights, the best weights, two of the optimizer, the moving average of the weights, the residual
 * of a codec, and the velocity of an outer step.
 */
const CHECKPOINT_VECTORS = 7;
/** A file that a run takes its first weights from may be of a network that is so many times as large. */
const FOREIGN_NETWORK_TIMES = 16;

/** A network, or what has the shapes of its parameters. */
interface Shapes {
  readonly parameters: readonly { readonly shape: readonly number[] }[];
}

/** Most bytes of a file with the weights of a network. */
export function weightsBytesMax({ parameters }: Shapes): number {
  return fileBytes(parameters, 1);
}

/** Most bytes of a checkpoint of a network. */
export function checkpointBytesMax({ parameters }: Shapes): number {
  return fileBytes(parameters, CHECKPOINT_VECTORS);
}

/** Most bytes of a file that a run of this network takes its first weights from: only some of them may fit. */
export function firstWeightsBytesMax({ parameters }: Shapes): number {
  return fileBytes(parameters, CHECKPOINT_VECTORS * FOREIGN_NETWORK_TIMES);
}

function fileBytes(parameters: Shapes['parameters'], vectors: number): number {
  const values = parameters.reduce((sum, { shape }) => sum + elementsOf(shape), 0);
  return 8 + HEADER_BYTES_MAX + 4 * values * vectors;
}
