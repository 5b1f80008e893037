import { basename, join } from 'node:path';
import { createInterface } from 'node:readline/promises';
import { CONFIG_FILE } from '../../coordinator/storage/run-config.js';
import { systemClock } from '../../shared/actor/clock.js';
import { commandLine } from '../../shared/command-line.js';
import { UserError } from '../../shared/errors.js';
import { exists } from '../../shared/files/read-file.js';
import { nearest } from '../../shared/nearest.js';
import { comparisonPage, listPage, pageLinks, writePage } from '../reports/run/report.js';
import { type CleanedKind, type RemovableRun, removableRuns, removeRun } from '../run-records/cleaning.js';
import { compareRuns } from '../run-records/comparison.js';
import { exportRun, type MetricFormat } from '../run-records/export/export-run.js';
import { readRuns } from '../run-records/run-list.js';
import { type RunRecord, readRun } from '../run-records/run-record.js';
import { otherSettingsOf, weightSettingsOf } from '../run-records/run-settings.js';
import { comparisonLines, listLines, runSummary, showLines } from '../run-records/run-text.js';
import type { CommandContext } from './command.js';

/** What `list` was asked for. */
type ListRequest = Pick<CompareRequest, 'folder' | 'html' | 'json'>;

/** Prints a table of the runs of a folder. @throws UserError when there is nothing to make a page of */
export async function listRuns(
  { folder, html, json }: ListRequest,
  { terminal }: CommandContext,
): Promise<void> {
  const list = await readRuns(folder);
  const { runs, unreadable } = list;
  if (html !== undefined && runs.length === 0)
    throw new UserError(`there is no run in ${folder} to write a page of (--in DIR names another folder)`);
  if (runs.length === 0) terminal.say(`there is no run in ${folder}`);
  else for (const line of listLines(runs)) terminal.say(line);
  for (const { path, why } of unreadable) terminal.say(`${path} cannot be read: ${why}`);
  if (html !== undefined) {
    await writePage(html, listPage(folder, list, await pageLinks(runs, html)));
    terminal.say(`page     ${html}`);
  }
  if (json) terminal.result({ runs: runs.map(runSummary), unreadable });
}

/** Prints a run in full. */
export async function showRun(
  folder: string,
  name: string,
  json: boolean,
  { terminal }: CommandContext,
): Promise<void> {
  const run = await findRun(folder, name);
  for (const line of showLines(run)) terminal.say(line);
  if (!json) return;
  const { hashes, events } = run;
  const settings = { settings: weightSettingsOf(run), otherSettings: otherSettingsOf(run) };
  terminal.result({ ...runSummary(run), ...settings, hashes, events });
}

/** What `compare` was asked for. */
interface CompareRequest {
  readonly folder: string;
  readonly names: readonly string[];
  /** Path of the page; undefined: none. */
  readonly html: string | undefined;
  readonly json: boolean;
}

/** Prints runs beside each other. */
export async function compareRunsCommand(
  { folder, names, html, json }: CompareRequest,
  { terminal }: CommandContext,
): Promise<void> {
  const runs: RunRecord[] = [];
  for (const name of names) runs.push(await findRun(folder, name));
  const comparison = compareRuns(runs);
  for (const line of comparisonLines(comparison)) terminal.say(line);
  if (html !== undefined) {
    await writePage(html, comparisonPage(comparison));
    terminal.say(`curves   ${html}`);
  }
  if (json) terminal.result({ ...comparison, runs: runs.map(runSummary) });
}

/** Writes the metrics of a run for other tools. */
export async function exportRunCommand(
  request: {
    readonly folder: string;
    readonly name: string;
    readonly format: MetricFormat;
    readonly out: string;
    readonly json: boolean;
  },
  { terminal }: CommandContext,
): Promise<void> {
  const { folder, name, format, out, json } = request;
  const file = await exportRun(await findRun(folder, name), format, out);
  terminal.say(`metrics  ${file}`);
  if (json) terminal.result({ file });
}

/** What `clean` was asked for. */
interface CleanRequest {
  readonly folder: string;
  /** Of the runs that may be removed; empty: all. */
  readonly names: readonly string[];
  readonly kinds: readonly CleanedKind[];
  readonly yes: boolean;
  readonly json: boolean;
}

/** Lists what would be removed, asks, and removes it. */
export async function cleanRuns(request: CleanRequest, context: CommandContext): Promise<void> {
  const { terminal } = context;
  const { folder, names, kinds, json } = request;
  const found = await readRuns(folder);
  const unknown = names.find((name) => !found.runs.some((run) => run.name === basename(name)));
  if (unknown !== undefined) throw new UserError(`there is no readable run ${unknown} in ${folder}`, 2);
  const named = names.map((name) => basename(name));
  const runs = found.runs.filter(({ name }) => named.length === 0 || named.includes(name));
  const removable = await removableRuns(runs, kinds);
  if (removable.length === 0) terminal.say(`nothing to remove: no run of ${folder} is ${kinds.join(' or ')}`);
  for (const run of removable) terminal.say(describeRemovable(run));
  const bytes = removable.reduce((sum, run) => sum + run.bytes, 0);
  const isAgreed = removable.length > 0 && (await isRemovalAgreed(request, removable.length, bytes, context));
  if (isAgreed) {
    for (const run of removable) await removeRun(run, systemClock);
    terminal.say(`removed ${removable.length} runs, ${sizeText(bytes)}`);
  }
  const removed = isAgreed ? removable : [];
  if (json) terminal.result({ removed, bytes: isAgreed ? bytes : 0 });
}

/** Without a person to answer, nothing is removed but with --yes. */
async function isRemovalAgreed(
  { yes }: CleanRequest,
  count: number,
  bytes: number,
  { terminal, interrupted }: CommandContext,
): Promise<boolean> {
  if (yes) return true;
  if (!process.stdin.isTTY) throw new UserError('nothing is removed: add --yes to remove these runs', 2);
  const lines = createInterface({ input: process.stdin, output: terminal.stderr });
  try {
    const question = `remove ${count} runs, ${sizeText(bytes)}? They cannot be restored. [y/N] `;
    const answer = await lines.question(question, { signal: interrupted });
    if (/^y(es)?$/i.test(answer.trim())) return true;
    terminal.say('nothing is removed');
    return false;
  } finally {
    lines.close();
  }
}

function describeRemovable({ path, kind, bytes, foreign }: RemovableRun): string {
  const kept = foreign.length === 0 ? '' : `; ${foreign.join(', ')} and the directory stay`;
  return `${path}: ${kind}, ${sizeText(bytes)}${kept}`;
}

function sizeText(bytes: number): string {
  return bytes < 1e6 ? `${Math.ceil(bytes / 1e3)} kB` : `${(bytes / 1e6).toFixed(1)} MB`;
}

/**
 * @param name path of a run, or its name in the folder
 * @throws UserError when there is no such run
 */
export async function findRun(folder: string, name: string): Promise<RunRecord> {
  if (await exists(join(name, CONFIG_FILE))) return readRun(name);
  const path = join(folder, name);
  if (await exists(join(path, CONFIG_FILE))) return readRun(path);
  const { runs } = (await exists(folder)) ? await readRuns(folder) : { runs: [] };
  const near = nearest(
    name,
    runs.map((run) => run.name),
  );
  const fix = near === undefined ? `list them:  ${commandLine('runs list')}` : `did you mean ${near}?`;
  throw new UserError(`there is no run ${name}, neither here nor in ${folder}; ${fix}`, 2);
}
