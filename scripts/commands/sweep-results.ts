import { join } from 'node:path';
import { UserError } from '../../shared/errors.js';
import { comparisonPage, writePage } from '../reports/run/report.js';
import { compareRuns } from '../run-records/comparison.js';
import type { RunRecord } from '../run-records/run-record.js';
import { optionsText, trialRun } from '../sweep/sweep-folder.js';
import { goalValue, ranked, type SweepGoal, type TrialResult } from '../sweep/trials.js';
import { textTable } from '../terminal/text-table.js';
import type { CommandContext } from './command.js';

/** Runs on the page of a sweep: as many as curves can be told apart. */
const PAGE_RUNS_MAX = 8;

/** What a sweep has come to. */
interface SweepResults {
  /** Its directory. */
  readonly path: string;
  /** Those that are ranked. */
  readonly last: readonly TrialResult[];
  /** Of earlier rungs. */
  readonly others: readonly TrialResult[];
}

/** Ranks the results of a sweep, and writes its page. @throws UserError when no trial has a result */
export async function tellResults(
  { path, last, others }: SweepResults,
  { goal, json }: { readonly goal: SweepGoal; readonly json: boolean },
  { terminal }: CommandContext,
): Promise<void> {
  const order = ranked(last, goal);
  const [best] = order.filter((result) => goalValue(result, goal) !== undefined);
  for (const line of resultLines([...order, ...others], goal)) terminal.say(line);
  const page = await writeSweepPage(path, order);
  if (page !== undefined) terminal.say(`curves   ${page}`);
  if (best?.metrics.validationLoss === undefined && best?.metrics.testLoss !== undefined)
    terminal.say(
      'the best trial was chosen by the test data, so its test metrics are too good: --validation 0.1 avoids that',
    );
  const results = [...others, ...last];
  if (json) terminal.result({ path, results, best: best ?? null });
  if (best === undefined)
    throw new UserError(
      `no trial has ${goal.metric ?? 'a finite loss'}: ${results[0]?.error ?? 'see the metrics of the trials with --json'}`,
    );
  terminal.say(`best     ${best.name}: ${optionsText(best.options)}, weights ${best.weightsSha256 ?? '-'}`);
}

function resultLines(results: readonly TrialResult[], goal: SweepGoal): string[] {
  const heading = goal.metric ?? 'loss';
  return textTable<TrialResult>(
    [
      { heading: 'trial', cell: ({ name }) => name },
      { heading: 'options', cell: ({ options }) => optionsText(options) },
      { heading: 'state', cell: ({ state }) => state },
      { heading, cell: (result) => goalValue(result, goal)?.toFixed(4) ?? '-' },
      { heading: 'weights', cell: ({ weightsSha256 }) => weightsSha256?.slice(0, 12) ?? '-' },
    ],
    results,
  );
}

/** The page with the curves of the best trials; undefined when no two can be compared. */
async function writeSweepPage(path: string, order: readonly TrialResult[]): Promise<string | undefined> {
  const runs: RunRecord[] = [];
  for (const { name } of order.slice(0, PAGE_RUNS_MAX)) {
    const run = await trialRun(join(path, name)).catch(() => undefined);
    if (run !== undefined) runs.push(run);
  }
  if (runs.length < 2) return undefined;
  const page = join(path, 'sweep.html');
  await writePage(page, comparisonPage(compareRuns(runs)));
  return page;
}
