import type { RunPlace, Updater } from '../shared/engine/step-compiler.js';
import { putTensors, tensorsAt } from '../shared/engine/tensors-at.js';
import { UserError } from '../shared/errors.js';
import { explainFileError } from '../shared/files/file-error.js';
import { sha256InBackground } from '../shared/files/sha256.js';
import type { BestWeights } from './best-weights.js';
import { type Checkpoint, encodeCheckpoint, type RunProgress, type WeightSettings } from './checkpoint.js';
import type { CheckpointStore } from './checkpoint-store.js';

/** Where checkpoints go, and what is to be done before one is written. */
export interface Safe {
  readonly store: Pick<CheckpointStore, 'save' | 'forgetAfter'>;
  /** Has what led to the checkpoint written down, where no loss of power takes it away. */
  readonly prepare: () => Promise<void>;
}

/** What a checkpoint is known by. */
export interface Fingerprints {
  readonly weightsSha256: string;
  /** Of everything in it. */
  readonly sha256: string;
}

/** Takes the vectors of a run out of its memory, and puts them back. */
export class Keeper {
  private readonly safe: Promise<Safe>;
  private openSafe: (safe: Safe) => void = () => {};

  constructor(
    private readonly place: RunPlace,
    private readonly updater: Updater,
    /** What a run that goes on is compared with. */
    readonly settings: WeightSettings,
    private readonly best?: BestWeights | undefined,
  ) {
    this.safe = new Promise((resolve) => {
      this.openSafe = resolve;
    });
  }

  /** Says where checkpoints go; until then they wait. */
  keepIn(safe: Safe): void {
    this.openSafe(safe);
  }

  /**
   * Saves the state of the run. Its vectors are copied before this returns; all else is done beside the run. Calls must
   * not overlap.
   * @param isBack the run has gone back to this state: what was saved of later steps is removed first
   * @throws UserError that says why there is no checkpoint
   */
  async keep(progress: RunProgress, isBack: boolean): Promise<Fingerprints> {
    const { settings, place, updater } = this;
    const parameters = tensorsAt(place, place.weights);
    const slots = updater.state.map((vector) => tensorsAt(place, vector));
    const best = this.best === undefined || progress.best === null ? [] : tensorsAt(place, this.best.at);
    const encoding = encodeCheckpoint({ progress, settings, parameters, slots, best }, sha256InBackground);
    const { store, prepare } = await this.safe;
    const { pieces, ...fingerprints } = await encoding;
    try {
      await prepare();
      if (isBack) await store.forgetAfter(progress.step);
      await store.save(progress, pieces);
      return fingerprints;
    } catch (error) {
      throw explainFileError(error, 'it cannot be written');
    }
  }

  /**
   * Puts the vectors of a checkpoint back.
   * @throws UserError when they are not those of this model and optimizer
   */
  restore({ parameters, slots, best }: Pick<Checkpoint, 'parameters' | 'slots' | 'best'>): void {
    const { place, updater } = this;
    if (slots.length !== updater.state.length)
      throw new UserError(
        `the checkpoint is of another optimizer, with ${slots.length} vectors beside the weights, not ${updater.state.length}; resume with the same`,
      );
    putTensors(place, place.weights, parameters);
    for (const [i, vector] of updater.state.entries()) putTensors(place, vector, slots[i] ?? []);
    if (this.best !== undefined && best !== undefined) putTensors(place, this.best.at, best);
  }
}
