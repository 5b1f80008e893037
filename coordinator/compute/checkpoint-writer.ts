import { explainFileError } from '../../shared/files/file-error.js';
import { sha256Elsewhere, sha256InTurns } from '../../shared/files/sha256.js';
import { bytesOf } from '../../shared/files/tensors.js';
import {
  type Checkpoint,
  COPIED_BYTES_MAX,
  encodeCheckpoint,
  encodeInPlace,
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

/**
 * Writes checkpoints, and puts them back. The vectors of a run are copied, encoded and saved. Large ones are saved without a copy:
 * until they are read, the run must not change them.
 */
export class CheckpointWriter {
  private readonly target: Promise<CheckpointTarget>;
  /** Says where checkpoints go; until then they wait. */
  readonly writeTo: (target: CheckpointTarget) => void;
  private capture: { readonly done: Promise<void>; readonly end: () => void } | undefined;

  constructor(
    private readonly vectors: RunVectors,
    /** What a run that goes on is compared with. */
    readonly settings: WeightSettings,
    private readonly copiedBytesMax = COPIED_BYTES_MAX,
  ) {
    let writeTo: (target: CheckpointTarget) => void = () => {};
    this.target = new Promise((resolve) => {
      writeTo = resolve;
    });
    this.writeTo = writeTo;
  }

  /** Resolves when the vectors may change; undefined: they may now. */
  get captured(): Promise<void> | undefined {
    return this.capture?.done;
  }

  /**
   * Saves the state of the run beside the run. Its vectors are copied before this returns, or must not change until `captured`. Calls
   * must not overlap.
   * @param isBack the run has rolled back to this state: checkpoints of later steps are removed first
   * @param ledger what is remembered of members, where that matters
   * @throws UserError that says why there is no checkpoint
   */
  async write(progress: RunProgress, isBack: boolean, ledger?: MemberLedger): Promise<Fingerprints> {
    const { settings, vectors } = this;
    const tensors = tensorsOf(vectors, progress);
    const { parameters, buffers, best, residual } = tensors;
    const bytes = bytesOf([...parameters, ...buffers.flat(), ...best, ...residual]);
    const checkpoint = { progress, settings, ...tensors };
    const encoding =
      bytes <= this.copiedBytesMax
        ? encodeCheckpoint(checkpoint, sha256Elsewhere)
        : this.beginCapture(encodeInPlace(checkpoint, sha256InTurns));
    try {
      const { store, prepare } = await this.target;
      const { pieces, ...fingerprints } = await encoding;
      await prepare();
      if (isBack) await store.forgetAfter(progress.step);
      await store.save(progress, this.endingCapture(pieces), ledger);
      return fingerprints;
    } catch (error) {
      throw explainFileError(error, 'it cannot be written');
    } finally {
      this.endCapture();
    }
  }

  private beginCapture<T>(encoding: T): T {
    let end: () => void = () => {};
    const done = new Promise<void>((resolve) => {
      end = resolve;
    });
    this.capture = { done, end };
    return encoding;
  }

  /** Once the last piece was taken and the next one is asked for, the vectors may change: the disk may take its time. */
  private *endingCapture(pieces: Iterable<Uint8Array>): Generator<Uint8Array> {
    yield* pieces;
    this.endCapture();
  }

  private endCapture(): void {
    this.capture?.end();
    this.capture = undefined;
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
