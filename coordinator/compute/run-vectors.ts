import { putTensors, type RunMemory, tensorsAt } from '../../shared/engine/run-memory.js';
import { UserError } from '../../shared/errors.js';
import type { Checkpoint, RunProgress } from '../storage/checkpoint.js';
import type { BestWeights } from './best-weights.js';

/** Where the vectors of a run lie that checkpoints have. No module of Node: browsers compute states too. */
export interface RunVectors {
  readonly runMemory: RunMemory;
  /** Byte offsets of what the optimizer has to remember, `plan.parameterFloats` floats each. */
  readonly state: readonly number[];
  /** That of what a codec's rounding has taken so far, where it is kept. */
  readonly residual: number | undefined;
  readonly best: BestWeights | undefined;
}

/** The tensors of a checkpoint. */
type Tensors = Pick<Checkpoint, 'parameters' | 'buffers' | 'best' | 'residual'>;

/** The vectors as they are now: views, not copies. */
export function tensorsOf(
  { runMemory, state, residual, best }: RunVectors,
  progress: Pick<RunProgress, 'best'>,
): { readonly [K in keyof Tensors]-?: NonNullable<Tensors[K]> } {
  return {
    parameters: tensorsAt(runMemory, runMemory.weights),
    buffers: state.map((vector) => tensorsAt(runMemory, vector)),
    best: best === undefined || progress.best === null ? [] : tensorsAt(runMemory, best.at),
    residual: residual === undefined ? [] : tensorsAt(runMemory, residual),
  };
}

/**
 * Puts the vectors of a checkpoint back.
 * @throws UserError when they are not those of this model and optimizer
 */
export function putBack(
  { runMemory, state, residual: kept, best: own }: RunVectors,
  { parameters, buffers, best, residual }: Tensors,
): void {
  if (buffers.length !== state.length)
    throw new UserError(
      `the checkpoint is of another optimizer, with ${buffers.length} vectors beside the weights instead of ${state.length}: resume with the same optimizer`,
    );
  putTensors(runMemory, runMemory.weights, parameters);
  for (const [i, vector] of state.entries()) putTensors(runMemory, vector, buffers[i] ?? []);
  // A run that goes on with another codec has none, or begins with none.
  if (kept !== undefined && residual !== undefined) putTensors(runMemory, kept, residual);
  if (own !== undefined && best !== undefined) putTensors(runMemory, own.at, best);
}
