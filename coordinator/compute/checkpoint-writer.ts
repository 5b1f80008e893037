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
import { putBack, type RunVectors, tensorsOf } from './run-vectors.js';

/** Where checkpoints go, and what is to be done before one is written. */
export interface CheckpointTarget {
  readonly store: Pick<CheckpointStore, 'save' | 'forgetAfter'>;
  /** Fsyncs metrics before the checkpoint. */
  readonly prepare: () => Promise<void>;
}

/** Writes checkpoints: copies the vectors of a run out of its memory, encodes and saves them. Also puts them back. */
export class CheckpointWriter {
  private readonly target: Promise<CheckpointTarget>;
  /** Says where checkpoints go; until then they wait. */
  readonly writeTo: (target: CheckpointTarget) => void;

  constructor(
    private readonly vectors: RunVectors,
    /** What a run that goes on is compared with. */
    readonly settings: WeightSettings,
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
    const { settings, vectors } = this;
    const encoding = encodeCheckpoint(
      { progress, settings, ...tensorsOf(vectors, progress) },
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
  restore(checkpoint: Pick<Checkpoint, 'parameters' | 'buffers' | 'best' | 'residual'>): void {
    putBack(this.vectors, checkpoint);
  }
}
