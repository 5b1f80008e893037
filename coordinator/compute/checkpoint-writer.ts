import { putTensors, type RunMemory, tensorsAt } from '../../shared/engine/run-memory.js';
import { UserError } from '../../shared/errors.js';
import { explainFileError } from '../../shared/files/file-error.js';
import { sha256InBackground } from '../../shared/files/sha256.js';
import {
  type Checkpoint,
  encodeCheckpoint,
  type Fingerprints,
  type RunProgress,
  type WeightSettings,
} from '../storage/checkpoint.js';
import type { CheckpointStore } from '../storage/checkpoint-store.js';
import type { MemberLedger } from '../storage/member-ledger.js';
import type { BestWeights } from './best-weights.js';

/** Where checkpoints go, and what is to be done before one is written. */
export interface CheckpointTarget {
  readonly store: Pick<CheckpointStore, 'save' | 'forgetAfter'>;
  /** Fsyncs metrics before the checkpoint. */
  readonly prepare: () => Promise<void>;
}

/** Byte offsets of the vectors that a run has to remember beside its weights, `plan.parameterFloats` floats each. */
interface TrainedVectors {
  readonly state: readonly number[];
  /** What a codec's rounding has taken so far, where it is kept. */
  readonly residual: number | undefined;
}

/** Writes checkpoints: copies the vectors of a run out of its memory, encodes and saves them. Also puts them back. */
export class CheckpointWriter {
  private readonly target: Promise<CheckpointTarget>;
  /** Says where checkpoints go; until then they wait. */
  readonly writeTo: (target: CheckpointTarget) => void;

  constructor(
    private readonly runMemory: RunMemory,
    private readonly vectors: TrainedVectors,
    /** What a run that goes on is compared with. */
    readonly settings: WeightSettings,
    private readonly best?: BestWeights | undefined,
  ) {
    let writeTo: (target: CheckpointTarget) => void = () => {};
    this.target = new Promise((resolve) => {
      writeTo = resolve;
    });
    this.writeTo = writeTo;
  }

  /**
   * Saves the state of the run. Its vectors are copied before this returns; the rest happens beside the run. Calls must
   * not overlap.
   * @param isBack the run has rolled back to this state: checkpoints of later steps are removed first
   * @param ledger what is remembered of members, where that matters
   * @throws UserError that says why there is no checkpoint
   */
  async write(progress: RunProgress, isBack: boolean, ledger?: MemberLedger): Promise<Fingerprints> {
    const { settings, runMemory, vectors } = this;
    const parameters = tensorsAt(runMemory, runMemory.weights);
    const buffers = vectors.state.map((vector) => tensorsAt(runMemory, vector));
    const best = this.best === undefined || progress.best === null ? [] : tensorsAt(runMemory, this.best.at);
    const residual = vectors.residual === undefined ? [] : tensorsAt(runMemory, vectors.residual);
    const encoding = encodeCheckpoint(
      { progress, settings, parameters, buffers, best, residual },
      sha256InBackground,
    );
    const { store, prepare } = await this.target;
    const { pieces, ...fingerprints } = await encoding;
    try {
      await prepare();
      if (isBack) await store.forgetAfter(progress.step);
      await store.save(progress, pieces, ledger);
      return fingerprints;
    } catch (error) {
      throw explainFileError(error, 'it cannot be written');
    }
  }

  /**
   * Removes the checkpoints of later steps: they rest on wrong sums.
   * @returns the step of the newest that is left; -1 when there is none
   * @throws UserError that says why they may still be there
   */
  async forgetAfter(step: number): Promise<number> {
    const { store } = await this.target;
    try {
      return await store.forgetAfter(step);
    } catch (error) {
      throw explainFileError(error, 'they cannot be removed');
    }
  }

  /**
   * Puts the vectors of a checkpoint back.
   * @throws UserError when they are not those of this model and optimizer
   */
  restore({
    parameters,
    buffers,
    best,
    residual,
  }: Pick<Checkpoint, 'parameters' | 'buffers' | 'best' | 'residual'>): void {
    const { runMemory, vectors } = this;
    if (buffers.length !== vectors.state.length)
      throw new UserError(
        `the checkpoint is of another optimizer, with ${buffers.length} vectors beside the weights instead of ${vectors.state.length}: resume with the same optimizer`,
      );
    putTensors(runMemory, runMemory.weights, parameters);
    for (const [i, vector] of vectors.state.entries()) putTensors(runMemory, vector, buffers[i] ?? []);
    // A run that goes on with another codec has none, or begins with none.
    if (vectors.residual !== undefined && residual !== undefined)
      putTensors(runMemory, vectors.residual, residual);
    if (this.best !== undefined && best !== undefined) putTensors(runMemory, this.best.at, best);
  }
}
