import { readdir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import type { SavedCheckpoint } from '../../coordinator/checkpoint.js';
import { loadAccess, type RunAccess } from '../../coordinator/run-access.js';
import {
  CONFIG_FILE,
  checkpointsIn,
  DEFAULT_PARENT,
  METRICS_FILE,
  type MetricsRecord,
} from '../../coordinator/run-directory.js';
import { readMetrics, readRunConfig } from '../../coordinator/run-record.js';
import { UserError } from '../../shared/errors.js';
import { exists } from '../../shared/files/read-file.js';
import type { TrainOptions } from './train-options.js';

/** Options that are of one command line, not of the run. */
const NOT_KEPT = ['resume', 'runDir', 'json'];
/** Options of which only one can be given: who asks for one takes the other back. */
const EITHER = [
  ['steps', 'epochs'],
  ['clipNorm', 'clipTensorNorm', 'clipValue'],
  ['data', 'text'],
] as const;

/** A run that is to go on: where it is, and what it was asked for. */
export interface Resumed {
  readonly path: string;
  readonly recipe: string;
  readonly options: TrainOptions;
}

/** What such a run goes on from. */
export interface Resumption {
  readonly path: string;
  /** Undefined when none was saved: the run begins. */
  readonly checkpoint: SavedCheckpoint | undefined;
  /** One line for each newer checkpoint that is damaged. */
  readonly damaged: readonly string[];
  readonly access: RunAccess | undefined;
  /** What happened up to there. */
  readonly records: readonly MetricsRecord[];
}

/** The options that a run keeps: those of its command line. */
export function keptOptions(options: TrainOptions): Record<string, unknown> {
  return Object.fromEntries(Object.entries(options).filter(([name]) => !NOT_KEPT.includes(name)));
}

/**
 * The run to go on with, and its options: those that it was begun with, but for what is given now.
 * @param given words of the command line, without defaults
 * @throws UserError (wrong usage) when there is no such run, or it has another recipe
 */
export async function resumedRun(
  directory: true | string,
  recipe: string | undefined,
  given: Partial<TrainOptions>,
): Promise<Resumed> {
  const path = directory === true ? await latestRun() : directory;
  if (given.runDir !== undefined)
    throw new UserError('--run-dir and --resume exclude each other: a run goes on where its files are', 2);
  const config = await readRunConfig(path);
  if (recipe !== undefined && recipe !== config.recipe)
    throw new UserError(`${path} is a run of ${config.recipe}, not of ${recipe}: leave the recipe out`, 2);
  const kept: Partial<TrainOptions> = { ...config.options };
  for (const choices of EITHER) {
    if (choices.some((choice) => given[choice] !== undefined))
      for (const choice of choices) delete kept[choice];
  }
  return { path, recipe: config.recipe, options: { ...kept, ...given } as TrainOptions };
}

/** Reads what a run goes on from; changes nothing. */
export async function findResumption(path: string): Promise<Resumption> {
  const { checkpoint, damaged } = await checkpointsIn(path).newest();
  return {
    path,
    checkpoint,
    damaged,
    access: await loadAccess(path),
    records: checkpoint === undefined ? [] : await readMetrics(path, checkpoint.progress.step),
  };
}

/** The run below runs/ that was written to last. */
async function latestRun(): Promise<string> {
  const names = (await exists(DEFAULT_PARENT)) ? await readdir(DEFAULT_PARENT) : [];
  const runs: { path: string; atMs: number }[] = [];
  for (const name of names) {
    const path = join(DEFAULT_PARENT, name);
    const metrics = join(path, METRICS_FILE);
    if (!(await exists(join(path, CONFIG_FILE))) || !(await exists(metrics))) continue;
    runs.push({ path, atMs: (await stat(metrics)).mtimeMs });
  }
  const [latest] = runs.sort((a, b) => b.atMs - a.atMs);
  if (latest === undefined)
    throw new UserError(`there is no run in ${DEFAULT_PARENT}/: name its folder with --resume DIR`, 2);
  return latest.path;
}
