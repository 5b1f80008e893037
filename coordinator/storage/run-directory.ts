/*
 * The files of a run: config.json (what was asked for), metrics.jsonl (one JSON object a line, as it happened; see
 * metrics-chain.ts), checkpoints/, access.json (for its workers, should its coordinator be started anew), lease.json
 * while a process writes here (see lease.ts) and, once the run is done, weights.safetensors.
 */
import { closeSync, fsync, fsyncSync, openSync, writeFileSync } from 'node:fs';
import { copyFile, mkdir, readdir, rm, stat, truncate } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import type { Clock } from '../../shared/actor/clock.js';
import { assert, UserError } from '../../shared/errors.js';
import { errorCode, explainFileError } from '../../shared/files/file-error.js';
import { Folder } from '../../shared/files/folder.js';
import { makeDirectories } from '../../shared/files/make-directory.js';
import { saveSafetensors } from '../../shared/files/safetensors.js';
import { sha256Hex } from '../../shared/files/sha256.js';
import { type Tensor, weightsSha256 } from '../../shared/files/tensors.js';
import { CheckpointStore } from './checkpoint-store.js';
import { LEASE_FILE, Lease } from './lease.js';
import { CHAIN_START, type ChainEnd, chained } from './metrics-chain.js';
import type { MetricsRecord } from './record-text.js';
import { ACCESS_FILE } from './run-access.js';
import { CONFIG_FILE, isRunDirectory, writeRunConfig } from './run-config.js';

export const METRICS_FILE = 'metrics.jsonl';
export const WEIGHTS_FILE = 'weights.safetensors';
/** Everything that prediction needs besides the weights; see trainer/stored-model.ts. */
export const MODEL_FILE = 'model.json';
const CHECKPOINT_FOLDER = 'checkpoints';
/** A copy of a metrics.jsonl of which more was removed at a resume than a line that was cut off. */
const DAMAGED_METRICS_FILE = 'metrics.jsonl.damaged';
/** What --inspect-gradients leaves: one inspection a line. */
export const GRADIENTS_FILE = 'gradients.jsonl';
/** Made of the files of a run, and made again whenever somebody asks for them. */
export const REPORT_FILES = { page: 'run.html', gradients: 'gradients.html' } as const;

export const DEFAULT_PARENT = 'runs';
/** Metrics are written out when this many characters have come together. */
const PENDING_MAX = 2 ** 16;
/** Runs of one recipe, configuration and second that get a directory. */
const NAMESAKES_MAX = 100;

/** What a run is and where it shall be kept. */
export interface RunRequest {
  readonly recipe: string;
  /** All settings that the run was started with; must survive JSON. */
  readonly config: Readonly<Record<string, unknown>>;
  /** The words of the command line, to show how the run is resumed. */
  readonly options: Readonly<Record<string, unknown>>;
  /** Milliseconds since 1970, from the clock. */
  readonly now: number;
  /** The line of metrics.jsonl that this session begins with. */
  readonly head: MetricsRecord;
  /** A directory that is new, empty, or of an earlier run (which it replaces). Default: a new one below `parent`. */
  readonly directory?: string;
  /** Where new directories are made; default `runs`. */
  readonly parent?: string;
  /** Times the heartbeat of the lease. */
  readonly clock: Clock;
}

/**
 * Makes the directory of a run, with its config.json and a metrics.jsonl that holds its head.
 * @throws UserError when the directory cannot be written, is in use or holds something else
 */
export async function createRunDirectory(request: RunRequest): Promise<RunDirectory> {
  const { directory } = request;
  const path = directory === undefined ? await makeNew(request) : await makeNamed(directory);
  const lease = Lease.take(path, request.clock);
  try {
    if (directory !== undefined) await removeEarlierRun(path);
    await writeConfig(path, request);
    return new RunDirectory(path, lease, request.head);
  } catch (error) {
    lease.release();
    throw error;
  }
}

/**
 * Opens the directory of a run that goes on, and adds lines behind the chain in its metrics.jsonl. The weights of an
 * earlier end are removed: they must never pass for those of this one.
 * @param lease of the directory, taken before anything in it was read
 * @param chain how far metrics.jsonl is of use; what follows is removed
 * @throws UserError when it cannot be written
 */
export async function continueRunDirectory(
  path: string,
  lease: Lease,
  chain: ChainEnd,
  request: Pick<RunRequest, 'recipe' | 'config' | 'options' | 'now' | 'head'>,
): Promise<RunDirectory> {
  const file = join(path, METRICS_FILE);
  try {
    await rm(join(path, WEIGHTS_FILE), { force: true });
    await removeBehind(path, chain);
  } catch (error) {
    throw explainFileError(error, `cannot write ${file}`);
  }
  await writeConfig(path, request);
  return new RunDirectory(path, lease, request.head, chain.lines === 0 ? undefined : chain.hash);
}

/** Removes what follows the chain in metrics.jsonl. Of more than a line that was cut off, a copy is kept. */
async function removeBehind(path: string, { bytes, fault }: ChainEnd): Promise<void> {
  const file = join(path, METRICS_FILE);
  const { size } = await stat(file).catch(() => ({ size: 0 }));
  if (size <= bytes) return;
  if (fault?.isTorn !== true) await copyFile(file, join(path, DAMAGED_METRICS_FILE));
  await truncate(file, bytes);
}

/**
 * Where the checkpoints of a run are.
 * @param path its directory
 * @param kept how many of the newest are kept
 */
export function checkpointsIn(
  path: string,
  { kept, bytesMax }: { readonly kept?: number; readonly bytesMax?: number } = {},
): CheckpointStore {
  return new CheckpointStore(new Folder(join(path, CHECKPOINT_FOLDER), undefined, bytesMax), kept);
}

async function writeConfig(
  path: string,
  { recipe, config, options, now }: Pick<RunRequest, 'recipe' | 'config' | 'options' | 'now'>,
): Promise<void> {
  await writeRunConfig(path, { recipe, started: new Date(now).toISOString(), config, options });
}

/** The open directory of a run. */
export class RunDirectory {
  private readonly metrics: number;
  private pending = '';
  private isOpen = true;
  private hash: string;

  /**
   * @param lease the right to write here, which `close` gives up
   * @param head the first line that is added
   * @param hash of the last line that is there; undefined: metrics.jsonl begins anew
   */
  constructor(
    readonly path: string,
    readonly lease: Lease,
    head: MetricsRecord,
    hash?: string,
  ) {
    const flags = hash === undefined ? 'w' : 'a';
    this.metrics = this.explained(METRICS_FILE, () => openSync(join(path, METRICS_FILE), flags));
    this.hash = hash ?? CHAIN_START;
    this.record(head);
  }

  /**
   * Adds a line to metrics.jsonl. Lines are held back until `flush`, `close`, or 64 KiB of them, so that a step does
   * not wait for the disk; the owner calls `flush` from time to time.
   * @throws UserError when the disk is full
   */
  record(metrics: MetricsRecord): void {
    assert(this.isOpen, 'metrics came after the end of the run');
    const { line, hash } = chained(this.hash, metrics);
    this.hash = hash;
    this.pending += line;
    if (this.pending.length >= PENDING_MAX) this.flush();
  }

  /** Writes out the lines held back. @throws UserError when the disk is full, or another process has taken the directory over */
  flush(): void {
    const text = this.pending;
    if (text === '') return;
    this.lease.confirm();
    this.pending = '';
    this.explained(METRICS_FILE, () => writeFileSync(this.metrics, text));
  }

  /** Writes out the lines held back, where no loss of power takes them away. @throws UserError when the disk is full */
  async sync(): Promise<void> {
    this.lease.confirm();
    this.flush();
    try {
      await promisify(fsync)(this.metrics);
    } catch (error) {
      throw explainFileError(error, `cannot write ${join(this.path, METRICS_FILE)}`);
    }
  }

  /**
   * Saves the parameters, whole or not at all.
   * @returns their hash
   * @throws UserError when they cannot be written
   */
  async saveWeights(parameters: readonly Tensor[]): Promise<string> {
    const hash = weightsSha256(parameters);
    this.lease.confirm();
    await saveSafetensors(join(this.path, WEIGHTS_FILE), parameters, {
      producer: 'unisum',
      weightsSha256: hash,
    });
    return hash;
  }

  /** Writes out all metrics and lets go of the directory; a second call does nothing. @throws UserError as `flush` */
  close(): void {
    if (!this.isOpen) return;
    this.isOpen = false;
    try {
      this.flush();
      this.explained(METRICS_FILE, () => fsyncSync(this.metrics));
    } finally {
      closeSync(this.metrics);
      this.lease.release();
    }
  }

  private explained<T>(file: string, action: () => T): T {
    try {
      return action();
    } catch (error) {
      throw explainFileError(error, `cannot write ${join(this.path, file)}`);
    }
  }
}

/** runs/<recipe>-<utc time>-<short>, where `short` is the beginning of the configuration's hash. */
async function makeNew({ recipe, config, now, parent = DEFAULT_PARENT }: RunRequest): Promise<string> {
  const time = new Date(now).toISOString().replace(/[-:]|\.\d+/g, '');
  const label =
    recipe
      .replace(/[^A-Za-z0-9._-]+/g, '-')
      .replace(/^[.-]+/, '')
      .slice(0, 60) || 'run';
  const short = sha256Hex(new TextEncoder().encode(JSON.stringify(config))).slice(0, 6);
  const base = join(parent, `${label}-${time}-${short}`);
  try {
    await makeDirectories(parent);
    for (let number = 1; number <= NAMESAKES_MAX; number++) {
      const path = number === 1 ? base : `${base}-${number}`;
      if (await makeDirectory(path)) return path;
    }
  } catch (error) {
    throw explainFileError(error, `cannot make the run directory ${base} (--run-dir DIR names another)`);
  }
  throw new UserError(
    `${base} and its ${NAMESAKES_MAX} namesakes are there already; name another with --run-dir DIR`,
  );
}

/** @returns false when something of that name is there */
async function makeDirectory(path: string): Promise<boolean> {
  try {
    await mkdir(path);
    return true;
  } catch (error) {
    if (errorCode(error) === 'EEXIST') return false;
    throw error;
  }
}

/**
 * Makes the directory that the user named, or finds it empty or with an earlier run in it.
 * @throws UserError when it holds something else
 */
async function makeNamed(path: string): Promise<string> {
  try {
    await makeDirectories(path);
    const entries = (await readdir(path)).filter((name) => name !== LEASE_FILE);
    if (entries.length === 0) return path;
    if (await isRunDirectory(path)) return path;
    throw new UserError(`${path} holds other files; name a new or empty directory with --run-dir DIR`, 2);
  } catch (error) {
    throw explainFileError(error, `cannot use ${path} as the run directory`);
  }
}

/**
 * Everything that a run writes into its directory, but for its lease, in the order of removal. Weights come first: those of an
 * earlier run must never pass for those of the next. `config.json` comes last: until then the directory is that of a run.
 */
export const RUN_FILES: readonly string[] = [
  ...[WEIGHTS_FILE, MODEL_FILE, CHECKPOINT_FOLDER, ACCESS_FILE, METRICS_FILE, DAMAGED_METRICS_FILE],
  ...[GRADIENTS_FILE, ...Object.values(REPORT_FILES), CONFIG_FILE],
];

/** Removes what an earlier run left. */
async function removeEarlierRun(path: string): Promise<void> {
  try {
    for (const file of RUN_FILES) await rm(join(path, file), { force: true, recursive: true });
  } catch (error) {
    throw explainFileError(error, `cannot use ${path} as the run directory`);
  }
}
