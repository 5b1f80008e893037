import type { KeyObject } from 'node:crypto';
import { readdir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import type { SavedCheckpoint } from '../coordinator/storage/checkpoint.js';
import type { CheckpointStore } from '../coordinator/storage/checkpoint-store.js';
import type { Lease } from '../coordinator/storage/lease.js';
import { CHAIN_START, type ChainEnd, readChain } from '../coordinator/storage/metrics-chain.js';
import { loadAccess, type RunAccess } from '../coordinator/storage/run-access.js';
import { CONFIG_FILE, readRunConfig } from '../coordinator/storage/run-config.js';
import {
  checkpointsIn,
  DEFAULT_PARENT,
  METRICS_FILE,
  MODEL_FILE,
} from '../coordinator/storage/run-directory.js';
import { UserError } from '../shared/errors.js';
import { exists } from '../shared/files/read-file.js';
import { checkpointBytesMax } from './file-bounds.js';
import type { TrainOptions } from './options/train-options.js';
import { isRecipeFile, recipeKey } from './recipe.js';
import { RecordError, RecordedRun } from './replay/recorded-run.js';
import type { MemberMemory } from './run-plan.js';
import { loadStoredModel } from './stored-model.js';

/** Options that belong to one command line and not to the run. */
const NOT_KEPT = ['resume', 'standby', 'runDir', 'json'];
/** Groups of options that exclude each other: one that is given replaces whichever the run was started with. */
const EXCLUSIVE = [
  ['steps', 'epochs'],
  ['clipNorm', 'clipTensorNorm', 'clipValue'],
  ['data', 'text'],
] as const;

/** The record of a run that begins again. */
const EMPTY_CHAIN: ChainEnd = { hash: CHAIN_START, lines: 0, bytes: 0 };

/** A run to resume: where it is, its recipe and its options. */
export interface ResumedRun {
  readonly path: string;
  readonly recipe: string;
  readonly options: TrainOptions;
}

/** The state that a run resumes from. */
export interface Resumption {
  readonly path: string;
  /** Undefined when none was saved: the run starts at step 0. */
  readonly checkpoint: SavedCheckpoint | undefined;
  /** One line for each newer checkpoint that cannot be used. */
  readonly damaged: readonly string[];
  readonly access: RunAccess | undefined;
  /** Its join line was not made on this machine: another one is made. */
  readonly isForeign: boolean;
  /** What the run remembers of its members. */
  readonly memory?: MemberMemory | undefined;
  /** What the run has recorded, and where metrics.jsonl goes on. */
  readonly recorded: RecordedRun;
  readonly chain: ChainEnd;
  /** The right to write to the directory. */
  readonly lease: Lease;
}

/** The options of the command line that config.json keeps, for a resume. */
export function keptOptions(options: TrainOptions): Record<string, string | boolean> {
  return Object.fromEntries(Object.entries(options).filter(([name]) => !NOT_KEPT.includes(name)));
}

/**
 * Finds the run to resume. Its options are those that it was started with, overridden by those that are given now.
 * @param given options of the command line, without defaults
 * @throws UserError (wrong usage) when there is no such run, or it has another recipe
 */
export async function resumedRun(
  directory: true | string,
  recipe: string | undefined,
  given: Partial<TrainOptions>,
): Promise<ResumedRun> {
  const path = directory === true ? await latestRun(recipe) : directory;
  if (given.runDir !== undefined)
    throw new UserError('--run-dir and --resume exclude each other: a run resumes in its own directory', 2);
  const config = await readRunConfig(path);
  if (recipe !== undefined && recipeKey(recipe) !== recipeKey(config.recipe)) {
    const remedy = isRecipeFile(config.recipe) ? `name ${config.recipe}` : 'leave the recipe out';
    throw new UserError(`${path} is a run of ${config.recipe}, not of ${recipe}: ${remedy}`, 2);
  }
  const kept: Partial<TrainOptions> = { ...config.options };
  for (const names of EXCLUSIVE) {
    if (names.some((name) => given[name] !== undefined)) for (const name of names) delete kept[name];
  }
  return { path, recipe: config.recipe, options: { ...kept, ...given } as TrainOptions };
}

/**
 * Reads the state that a run resumes from.
 * @param lease of the directory, so that nobody else writes there
 * @param key of this machine
 * @throws UserError when its record is none that this version can continue
 */
export async function findResumption(
  path: string,
  lease: Lease,
  key: KeyObject | undefined,
): Promise<Resumption> {
  try {
    const recorded = new RecordedRun();
    const chain = await readChain(join(path, METRICS_FILE), (record, line) => recorded.take(record, line));
    // If a line was lost, the evaluation of the step before it may be missing too.
    const stepMax = chain.lines === 0 ? -1 : recorded.lastStep - (chain.fault === undefined ? 0 : 1);
    const network = (await exists(join(path, MODEL_FILE)))
      ? (await loadStoredModel(path)).network
      : undefined;
    const store = checkpointsIn(path, network === undefined ? {} : { bytesMax: checkpointBytesMax(network) });
    const found = await store.newest(stepMax, (checkpoint) => recorded.hasSaved(checkpoint));
    const access = await loadAccess(path, key);
    const isAudited = Number((await readRunConfig(path)).options.audit ?? 0) > 0;
    const isForeign = access === 'foreign';
    const rest = { path, access: isForeign ? undefined : access, isForeign, lease };
    if (found.checkpoint !== undefined)
      return {
        ...rest,
        ...found,
        memory: await loadMemory(store, found.checkpoint, recorded, isAudited),
        chain,
        recorded,
      };
    // Rather than starting again, a run whose record was lost continues without it.
    const { checkpoint, damaged } = await store.newest();
    if (checkpoint === undefined)
      return {
        ...rest,
        ...found,
        memory: await loadMemory(store, undefined, undefined, isAudited),
        chain,
        recorded,
      };
    const memory = await loadMemory(store, checkpoint, undefined, isAudited);
    return { ...rest, checkpoint, damaged, memory, chain: EMPTY_CHAIN, recorded: new RecordedRun() };
  } catch (error) {
    lease.release();
    if (!(error instanceof RecordError)) throw error;
    throw new UserError(
      `${path} cannot be resumed: ${error.message}; start a new run from its weights (--weights ${path})`,
    );
  }
}

/**
 * What a run remembers of its members; undefined when nothing.
 * @param checkpoint left out: the run starts again, and nothing of anybody is in its weights
 * @param recorded left out: the record was lost, and a new one begins with the state that the run resumes from
 * @param isAudited whether its latest session was
 */
async function loadMemory(
  store: CheckpointStore,
  checkpoint: SavedCheckpoint | undefined,
  recorded: RecordedRun | undefined,
  isAudited: boolean,
): Promise<MemberMemory | undefined> {
  // With an audit, it is written before each checkpoint; else as soon as it has anything to say.
  const hasMembers = ['expelled', 'banned'].some((event) => recorded?.memberEvents.has(event));
  const found = await store.ledger(checkpoint !== undefined && (isAudited || hasMembers));
  if (found === undefined) return undefined;
  const { ledger } = found;
  const step = checkpoint?.progress.step ?? 0;
  // Where everything was confirmed, the run never has to go back behind this state.
  const isUnverified = Object.values(ledger.unverified).some((since) => since < step);
  if (recorded === undefined || !isUnverified) return { ...found, bases: [], isInitialDrawn: false };
  // Nor can it go back to where other settings were in use: it would not come to the same weights again.
  const { from, state, weights } = recorded.leg;
  const bases = await store.loadWhole(ledger.bases.filter((base) => from <= base && base <= step));
  return { ...found, bases, isInitialDrawn: state === null && weights === null };
}

/** The run in runs/ that was written to last. @param recipe takes only runs of it; undefined: of any */
async function latestRun(recipe: string | undefined): Promise<string> {
  const names = (await exists(DEFAULT_PARENT)) ? await readdir(DEFAULT_PARENT) : [];
  const runs: { path: string; atMs: number }[] = [];
  for (const name of names) {
    const path = join(DEFAULT_PARENT, name);
    const metrics = join(path, METRICS_FILE);
    if (!(await exists(join(path, CONFIG_FILE))) || !(await exists(metrics))) continue;
    runs.push({ path, atMs: (await stat(metrics)).mtimeMs });
  }
  for (const { path } of runs.sort((a, b) => b.atMs - a.atMs)) {
    if (recipe === undefined) return path;
    // A run that this version cannot read is none that was named.
    const config = await readRunConfig(path).catch(() => undefined);
    if (config !== undefined && recipeKey(config.recipe) === recipeKey(recipe)) return path;
  }
  const what = recipe === undefined || runs.length === 0 ? 'run' : `run of ${recipe}`;
  throw new UserError(`there is no ${what} in ${DEFAULT_PARENT}/: name a run directory with --resume DIR`, 2);
}
