import { UserError } from '../../shared/errors.js';
import { sha256InTurns } from '../../shared/files/sha256.js';
import { type DirectoryStorage, replaceFile, TEMPORARY_SUFFIX } from '../../shared/files/storage.js';
import {
  COPIED_BYTES_MAX,
  decodeCheckpoint,
  openCheckpoint,
  type RunProgress,
  type SavedCheckpoint,
} from './checkpoint.js';
import {
  decodeLedger,
  encodeLedger,
  LEDGER_BYTES_MAX,
  LEDGER_FILE,
  LOST_LEDGER,
  type MemberLedger,
} from './member-ledger.js';

/** Checkpoints that are kept besides the best one and those that a run can roll back to, where nothing else is asked for: one would do if disks never lied. */
const CHECKPOINTS_KEPT = 3;
/** Digits of a step in a file's name, so that names sort as steps do. */
const STEP_DIGITS = 13;
/** The name of a ledger that was found damaged. */
export const DAMAGED_LEDGER_FILE = `${LEDGER_FILE}.damaged`;
const NAME = /^step-(\d{13})\.safetensors$/;

/** A checkpoint that was found, and what was passed over on the way to it. */
export interface Found {
  readonly checkpoint: SavedCheckpoint | undefined;
  /** One line for each newer file that is of no use. */
  readonly damaged: readonly string[];
}

/** What is remembered of members. `lost`: it cannot be read, or is not there, and the worst is assumed in its place. */
export interface FoundLedger {
  readonly ledger: MemberLedger;
  readonly lost?: 'damaged' | 'missing' | undefined;
}

/** The checkpoints of a run, one file each. */
export class CheckpointStore {
  /** @param kept how many of the newest are kept; infinity: all */
  constructor(
    private readonly storage: DirectoryStorage,
    private readonly kept = CHECKPOINTS_KEPT,
  ) {}

  /**
   * Saves a checkpoint, whole or not at all, and then removes those that are no longer needed. Calls must not overlap.
   * @param pieces the bytes of the file
   * @param ledger what is remembered of members, where that matters. It is saved first: a checkpoint that rests on sums
   * which nobody has confirmed must never be found without it. The checkpoints that it names are kept
   * @throws what the storage throws; all that was there is then still there
   */
  async save(
    { step, best }: RunProgress,
    pieces: Iterable<Uint8Array>,
    ledger?: MemberLedger,
  ): Promise<void> {
    if (ledger !== undefined) await replaceFile(this.storage, LEDGER_FILE, [encodeLedger(ledger)]);
    await replaceFile(this.storage, fileOf(step), pieces);
    await this.prune([...(ledger?.bases ?? []), ...(best === null ? [] : [best.step])]);
  }

  /**
   * What is remembered of members; undefined when nothing is.
   * @param isExpected the run has written it
   */
  async ledger(isExpected = false): Promise<FoundLedger | undefined> {
    const names = await this.storage.list();
    if (!names.includes(LEDGER_FILE))
      return isExpected ? { ledger: LOST_LEDGER, lost: 'missing' } : undefined;
    const ledger = await this.storage
      .read(LEDGER_FILE, LEDGER_BYTES_MAX)
      .then(decodeLedger, (error: unknown) => {
        if (!(error instanceof UserError)) throw error;
        return undefined;
      });
    return ledger === undefined ? { ledger: LOST_LEDGER, lost: 'damaged' } : { ledger };
  }

  /** Writes what takes the place of a ledger that is lost, and keeps the file of a damaged one under another name. */
  async replaceLedger({ lost }: FoundLedger): Promise<void> {
    if (lost === 'damaged') await this.storage.rename(LEDGER_FILE, DAMAGED_LEDGER_FILE);
    await replaceFile(this.storage, LEDGER_FILE, [encodeLedger(LOST_LEDGER)]);
  }

  /** The checkpoints of these steps that are whole. */
  async loadWhole(steps: readonly number[]): Promise<SavedCheckpoint[]> {
    const there = await this.steps();
    const whole: SavedCheckpoint[] = [];
    for (const step of steps) {
      if (!there.includes(step)) continue;
      try {
        whole.push(await this.load(step));
      } catch (error) {
        if (!(error instanceof UserError)) throw error;
      }
    }
    return whole;
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
    const parts = this.storage.parts(name);
    const checkpoint =
      parts.size > COPIED_BYTES_MAX
        ? await openCheckpoint(parts, name, sha256InTurns)
        : decodeCheckpoint(await this.storage.read(name), name);
    if (checkpoint.progress.step === step) return checkpoint;
    throw new UserError(`${name} holds step ${checkpoint.progress.step}: it was renamed; use another`);
  }

  /**
   * The newest checkpoint that is whole, if there is one, however the process or the machine ended.
   * @param stepMax later ones are passed over: metrics.jsonl does not reach so far
   * @param isRecorded others are passed over: they are of a part of the run whose record was lost
   */
  async newest(
    stepMax = Number.POSITIVE_INFINITY,
    isRecorded: (checkpoint: SavedCheckpoint) => boolean = () => true,
  ): Promise<Found> {
    const damaged: string[] = [];
    for (const step of (await this.steps()).reverse()) {
      if (step > stepMax) {
        damaged.push(`${fileOf(step)} is ahead of metrics.jsonl, which is whole up to step ${stepMax}`);
        continue;
      }
      try {
        const checkpoint = await this.load(step);
        if (isRecorded(checkpoint)) return { checkpoint, damaged };
        damaged.push(`${fileOf(step)} is of a part of the run that metrics.jsonl has lost`);
      } catch (error) {
        if (!(error instanceof UserError)) throw error;
        damaged.push(error.message);
      }
    }
    return { checkpoint: undefined, damaged };
  }

  /**
   * Removes checkpoints behind a step: the run goes on from there, and what was to come comes again.
   * @returns the step of the newest that is left; -1 when there is none
   */
  async forgetAfter(step: number): Promise<number> {
    const steps = await this.steps();
    const later = steps.filter((other) => other > step);
    for (const other of later) await this.storage.remove(fileOf(other));
    if (later.length > 0) await this.storage.sync();
    return steps.findLast((other) => other <= step) ?? -1;
  }

  /** Keeps the newest and those of these steps; removes what a crash has left aside. */
  private async prune(needed: readonly number[]): Promise<void> {
    const steps = await this.steps();
    const old = steps.slice(0, -this.kept).filter((step) => !needed.includes(step));
    const temporary = (await this.storage.list()).filter(
      (name) => name.endsWith(TEMPORARY_SUFFIX) && NAME.test(name.slice(0, -TEMPORARY_SUFFIX.length)),
    );
    for (const name of [...old.map(fileOf), ...temporary]) await this.storage.remove(name);
  }
}

function fileOf(step: number): string {
  return `step-${String(step).padStart(STEP_DIGITS, '0')}.safetensors`;
}
