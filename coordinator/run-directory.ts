/*
 * What a run leaves behind: config.json (what was asked for), metrics.jsonl (one JSON object a line, as it happened),
 * checkpoints/, access.json (for its workers, should its coordinator be started anew) and, once it is done,
 * weights.safetensors.
 */
import { closeSync, fsync, fsyncSync, openSync, writeFileSync } from 'node:fs';
import { mkdir, readdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { assert, UserError } from '../shared/errors.js';
import { writeFileAtomically } from '../shared/files/atomic-file.js';
import { errorCode, explainFileError } from '../shared/files/file-error.js';
import { Folder } from '../shared/files/folder.js';
import { makeDirectories } from '../shared/files/make-directory.js';
import { readBoundedFile } from '../shared/files/read-file.js';
import { saveSafetensors } from '../shared/files/safetensors.js';
import { sha256Hex } from '../shared/files/sha256.js';
import { type Tensor, weightsSha256 } from '../shared/files/tensors.js';
import { CheckpointStore } from './checkpoint-store.js';
import { ACCESS_FILE } from './run-access.js';

export const CONFIG_FILE = 'config.json';
export const METRICS_FILE = 'metrics.jsonl';
export const WEIGHTS_FILE = 'weights.safetensors';
const CHECKPOINT_FOLDER = 'checkpoints';
/** What --watch-gradients leaves. */
const GRADIENT_FILES = ['gradients.jsonl', 'gradients.html'];

/** Marks a directory as one of ours: such a one may be used again. */
export const RUN_FORMAT = 'unisum-run/1';
export const DEFAULT_PARENT = 'runs';
const CONFIG_BYTES_MAX = 16 * 2 ** 20;
/** Metrics are written out when this many characters have come together. */
const PENDING_MAX = 2 ** 16;
/** Runs of one recipe, configuration and second that get a directory. */
const NAMESAKES_MAX = 100;

/** What a run is and where it shall be kept. */
export interface RunRequest {
  readonly recipe: string;
  /** All settings that the run was started with; must survive JSON. */
  readonly config: Readonly<Record<string, unknown>>;
  /** The words of the command line, for whoever lets the run go on. */
  readonly options: Readonly<Record<string, unknown>>;
  /** Milliseconds since 1970, from the clock. */
  readonly now: number;
  /** A directory that is new, empty, or of an earlier run (which it replaces). Default: a new one below `parent`. */
  readonly directory?: string;
  /** Where new directories are made; default `runs`. */
  readonly parent?: string;
}

/** One line of metrics.jsonl. */
export type MetricsRecord = Readonly<Record<string, unknown>>;

/**
 * Makes the directory of a run, with its config.json and an empty metrics.jsonl.
 * @throws UserError when the directory cannot be written or holds something else
 */
export async function createRunDirectory(request: RunRequest): Promise<RunDirectory> {
  const { directory } = request;
  const path = directory === undefined ? await makeNew(request) : await takeOver(directory);
  await writeConfig(path, request);
  return new RunDirectory(path, 'w');
}

/**
 * Opens the directory of a run that goes on; lines are added to its metrics.jsonl.
 * @throws UserError when it cannot be written
 */
export async function continueRunDirectory(
  path: string,
  request: Omit<RunRequest, 'directory' | 'parent'>,
): Promise<RunDirectory> {
  await writeConfig(path, request);
  return new RunDirectory(path, 'a');
}

/**
 * Where the checkpoints of a run are.
 * @param path its directory
 * @param pinned step of a checkpoint that is kept whatever comes after it
 */
export function checkpointsIn(path: string, pinned?: number): CheckpointStore {
  return new CheckpointStore(new Folder(join(path, CHECKPOINT_FOLDER)), pinned);
}

async function writeConfig(path: string, { recipe, config, options, now }: RunRequest): Promise<void> {
  const started = new Date(now).toISOString();
  const text = JSON.stringify({ format: RUN_FORMAT, recipe, started, config, options }, null, 2);
  await writeFileAtomically(join(path, CONFIG_FILE), [new TextEncoder().encode(`${text}\n`)]);
}

/** The open directory of a run. */
export class RunDirectory {
  private readonly metrics: number;
  private pending = '';
  private isOpen = true;

  /** @param flags 'w': metrics begin anew; 'a': they go on */
  constructor(
    readonly path: string,
    flags: 'w' | 'a',
  ) {
    this.metrics = this.explained(METRICS_FILE, () => openSync(join(path, METRICS_FILE), flags));
  }

  /**
   * Adds a line to metrics.jsonl. Lines are held back until `flush`, `close`, or 64 KiB of them, so that a step does
   * not wait for the disk; the owner calls `flush` from time to time. JSON has no NaN or infinity: they become text.
   * @throws UserError when the disk is full
   */
  record(metrics: MetricsRecord): void {
    assert(this.isOpen, 'metrics came after the end of the run');
    const line = JSON.stringify(metrics, (_, value: unknown) =>
      typeof value === 'number' && !Number.isFinite(value) ? String(value) : value,
    );
    this.pending += `${line}\n`;
    if (this.pending.length >= PENDING_MAX) this.flush();
  }

  /** Writes out the lines held back. @throws UserError when the disk is full */
  flush(): void {
    const text = this.pending;
    if (text === '') return;
    this.pending = '';
    this.explained(METRICS_FILE, () => writeFileSync(this.metrics, text));
  }

  /** Writes out the lines held back, where no loss of power takes them away. @throws UserError when the disk is full */
  async sync(): Promise<void> {
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
    await saveSafetensors(join(this.path, WEIGHTS_FILE), parameters, {
      producer: 'unisum',
      weightsSha256: hash,
    });
    return hash;
  }

  /** Writes out all metrics and lets go of the file; a second call does nothing. @throws UserError as `flush` */
  close(): void {
    if (!this.isOpen) return;
    this.isOpen = false;
    try {
      this.flush();
      this.explained(METRICS_FILE, () => fsyncSync(this.metrics));
    } finally {
      closeSync(this.metrics);
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

/** Takes the directory that the user named, and what an earlier run left in it away. */
async function takeOver(path: string): Promise<string> {
  try {
    await makeDirectories(path);
    const entries = await readdir(path);
    if (entries.length === 0) return path;
    if (!(entries.includes(CONFIG_FILE) && (await isOurs(join(path, CONFIG_FILE))))) {
      throw new UserError(`${path} holds other files; name a new or empty directory with --run-dir DIR`, 2);
    }
    // Weights first: those of the earlier run must never pass for those of this one.
    for (const file of [
      WEIGHTS_FILE,
      CHECKPOINT_FOLDER,
      ACCESS_FILE,
      METRICS_FILE,
      ...GRADIENT_FILES,
      CONFIG_FILE,
    ])
      await rm(join(path, file), { force: true, recursive: true });
    return path;
  } catch (error) {
    throw explainFileError(error, `cannot use ${path} as the run directory`);
  }
}

async function isOurs(configFile: string): Promise<boolean> {
  const bytes = await readBoundedFile(configFile, CONFIG_BYTES_MAX);
  try {
    const config: unknown = JSON.parse(new TextDecoder().decode(bytes));
    return (
      typeof config === 'object' && config !== null && 'format' in config && config.format === RUN_FORMAT
    );
  } catch {
    return false;
  }
}
