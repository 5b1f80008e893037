import { UserError } from '../shared/errors.js';
import { ASIDE, replaceFile, type Storage } from '../shared/files/storage.js';
import { decodeCheckpoint, type RunProgress, type SavedCheckpoint } from './checkpoint.js';

/** Checkpoints that are kept besides the best and the pinned one: one would do if disks never lied. */
const KEPT = 3;
/** Digits of a step in a file's name, so that names sort as steps do. */
const STEP_DIGITS = 13;
const NAME = /^step-(\d{13})\.safetensors$/;

/** A checkpoint that was found, and what was passed over on the way to it. */
export interface Found {
  readonly checkpoint: SavedCheckpoint | undefined;
  /** One line for each newer file that is damaged. */
  readonly damaged: readonly string[];
}

/** The checkpoints of a run, one file each. */
export class CheckpointStore {
  /** @param pinned step of a checkpoint that is kept whatever comes after it */
  constructor(
    private readonly storage: Storage,
    private readonly pinned?: number,
  ) {}

  /**
   * Saves a checkpoint, whole or not at all, and then removes those that are no longer needed. Calls must not overlap.
   * @param pieces the bytes of the file
   * @throws what the storage throws; all that was there is then still there
   */
  async save({ step, best }: RunProgress, pieces: Iterable<Uint8Array>): Promise<void> {
    await replaceFile(this.storage, fileOf(step), pieces);
    await this.prune(best?.step);
  }

  /** Steps of which there is a file, whole or not, ascending. */
  async steps(): Promise<number[]> {
    const names = await this.storage.list();
    return names
      .flatMap((name) => NAME.exec(name)?.[1] ?? [])
      .map(Number)
      .sort((a, b) => a - b);
  }

  /** The checkpoint of a step. @throws UserError when it is damaged */
  async load(step: number): Promise<SavedCheckpoint> {
    const name = fileOf(step);
    const checkpoint = decodeCheckpoint(await this.storage.read(name), name);
    if (checkpoint.progress.step === step) return checkpoint;
    throw new UserError(`${name} holds step ${checkpoint.progress.step}: it was renamed; use another`);
  }

  /** The newest checkpoint that is whole, if there is one, however the process or the machine ended. */
  async newest(): Promise<Found> {
    const damaged: string[] = [];
    for (const step of (await this.steps()).reverse()) {
      try {
        return { checkpoint: await this.load(step), damaged };
      } catch (error) {
        if (!(error instanceof UserError)) throw error;
        damaged.push(error.message);
      }
    }
    return { checkpoint: undefined, damaged };
  }

  /** Removes checkpoints behind a step: the run goes on from there, and what was to come comes again. */
  async forgetAfter(step: number): Promise<void> {
    const later = (await this.steps()).filter((other) => other > step);
    for (const other of later) await this.storage.remove(fileOf(other));
    if (later.length > 0) await this.storage.sync();
  }

  /** Keeps the newest, the best, and the one that is pinned; removes what a crash has left aside. */
  private async prune(best: number | undefined): Promise<void> {
    const steps = await this.steps();
    const old = steps.slice(0, -KEPT).filter((step) => step !== best && step !== this.pinned);
    const asides = (await this.storage.list()).filter((name) => name.endsWith(ASIDE));
    for (const name of [...old.map(fileOf), ...asides]) await this.storage.remove(name);
  }
}

function fileOf(step: number): string {
  return `step-${String(step).padStart(STEP_DIGITS, '0')}.safetensors`;
}
