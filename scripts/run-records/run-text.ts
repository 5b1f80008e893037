import { describeMetrics } from '../../trainer/result.js';
import { type Column, textTable } from '../terminal/text-table.js';
import type { ComparedRow, Comparison, Parting } from './comparison.js';
import { evaluatedLoss, type RunRecord, stepsAsked, type Values } from './run-record.js';
import { otherSettingsOf, weightSettingsOf } from './run-settings.js';

/** Characters of a hash in a table. */
export const SHORT_HASH = 12;
/** Characters of a value in a table; longer ones are hashes, which differ in the first ones. */
const VALUE_CHARACTERS = 24;
/** Events and hashes that are printed of a run; the page and --json have all. */
const LISTED_MAX = 20;

const LIST: readonly Column<RunRecord>[] = [
  { heading: 'run', cell: ({ name }) => name },
  { heading: 'recipe', cell: ({ config }) => config.recipe },
  { heading: 'state', cell: ({ state }) => state },
  { heading: 'steps', cell: (run) => stepsText(run) },
  { heading: 'best metric', cell: (run) => bestText(run) },
  { heading: 'started', cell: startedText },
  { heading: 'weights', cell: ({ weightsSha256 }) => weightsSha256?.slice(0, SHORT_HASH) ?? '-' },
];

/** When a run was started, to the minute. */
export function startedText({ config }: RunRecord): string {
  return config.started.slice(0, 16).replace('T', ' ');
}

/** Runs as a table. */
export function listLines(runs: readonly RunRecord[]): string[] {
  return textTable(LIST, runs);
}

/** A run in full. */
export function showLines(run: RunRecord): string[] {
  const { config, course, final, best, weightsSha256, hashes, events, legs } = run;
  const loss = course.at(-1)?.means.loss;
  return [
    `${run.path}: ${config.recipe}, ${run.state}, ${stepsText(run)} steps, started ${config.started}`,
    ...(loss === undefined ? [] : [`last     ${describeMetrics({ loss, ...final })}`]),
    ...(best === undefined ? [] : [`best     step ${best.step}: ${describeMetrics(best.metrics)}`]),
    `weights  ${weightsSha256 ?? 'not saved: the run has not ended'}`,
    ...(legs.length > 1
      ? [
          `settings changed after steps ${legs
            .slice(1)
            .map(({ from }) => from)
            .join(', ')}`,
        ]
      : []),
    ...(run.takenBack > 0 ? [`${run.takenBack} steps were taken back and computed again`] : []),
    ...run.notes,
    'settings that decide the weights:',
    ...Object.entries(weightSettingsOf(run)).map(([name, value]) => `  ${name}  ${value}`),
    'other settings:',
    ...Object.entries(otherSettingsOf(run)).map(([name, value]) => `  ${name}  ${value}`),
    ...listed('hashes of the weights', hashes, ({ step, weightsSha256 }) => `step ${step}  ${weightsSha256}`),
    ...listed('events', events, ({ step, event, details }) => `step ${step}  ${eventText(event, details)}`),
  ];
}

/** Runs beside each other. */
export function comparisonLines({ runs, settings, otherSettings, metrics, partings }: Comparison): string[] {
  const names = runs.map(({ name }) => name);
  const tables = [
    table('settings that decide the weights', names, settings, shortened),
    table('other settings', names, otherSettings, shortened),
    table('metrics', names, metrics, (value) => numberText(value)),
    table(
      'weights',
      names,
      [{ name: 'hash', values: runs.map(({ weightsSha256 }) => weightsSha256) }],
      (hash) => hash.slice(0, SHORT_HASH),
    ),
  ];
  const isSame = settings.length === 0 ? ['all settings that decide the weights are equal'] : [];
  return [...isSame, ...tables.flat(), ...partings.flatMap(partingLines)];
}

/** Where two runs part, in words. */
export function partingLines(parting: Parting): string[] {
  const { runs, areWeightsEqual, numbersEqualTo, numbersPartAt, hashesEqualAt, hashesPartAt } = parting;
  const pair = runs.join(' and ');
  const equal = numbersEqualTo === 0 ? 'no step' : `all steps to ${numbersEqualTo}`;
  const numbers =
    numbersPartAt === undefined
      ? `the recorded numbers of ${equal} agree, and none differs`
      : `the recorded numbers differ first at step ${numbersPartAt}; ${numbersEqualTo === 0 ? 'no step agrees' : `step ${numbersEqualTo} is the last that agrees`}`;
  const hashes = [
    ...(hashesEqualAt === undefined ? [] : [`have equal weights at step ${hashesEqualAt}`]),
    ...(hashesPartAt === undefined ? [] : [`have different weights from step ${hashesPartAt} on`]),
  ];
  const end =
    areWeightsEqual === undefined
      ? 'not both have ended'
      : `the final weights are ${areWeightsEqual ? 'equal, bit for bit' : 'different'}`;
  return [
    `${pair}: ${end}`,
    `  ${numbers}`,
    `  ${hashes.length === 0 ? 'no step has a recorded hash of the weights in both' : `they ${hashes.join(' and ')}`}`,
  ];
}

/** "40/40" */
function stepsText(run: RunRecord): string {
  return `${run.steps}/${stepsAsked(run)}`;
}

/** The best evaluation in a few words: another metric than the loss says more to people. */
function bestText({ best }: RunRecord): string {
  if (best === undefined) return '-';
  const loss = evaluatedLoss(best.metrics);
  const [name, value] =
    Object.entries(best.metrics).find(([, metric]) => metric !== loss) ??
    Object.entries(best.metrics)[0] ??
    [];
  return name === undefined || value === undefined ? '-' : `${name} ${value.toFixed(4)}`;
}

/** An event with its details. */
export function eventText(event: string, details: Readonly<Record<string, unknown>>): string {
  const words = Object.entries(details).map(
    ([name, value]) => `${name} ${typeof value === 'string' ? value : JSON.stringify(value)}`,
  );
  return [event, ...words].join(', ');
}

/** A number for a table: whole ones in full, others with six significant digits. */
export function numberText(value: number): string {
  return Number.isInteger(value) ? String(value) : String(Number(value.toPrecision(6)));
}

/** For `--json`: a run without its steps and events. */
export function runSummary(run: RunRecord): object {
  const { path, name, config, state, steps, best, final, weightsSha256, takenBack, notes } = run;
  return {
    ...{
      path,
      name,
      recipe: config.recipe,
      state,
      steps,
      stepsAsked: stepsAsked(run),
      started: config.started,
    },
    ...{ metrics: finite(final), ...(best && { best: { step: best.step, metrics: finite(best.metrics) } }) },
    ...{ weightsSha256: weightsSha256 ?? null, takenBack, notes },
  };
}

/** JSON has no NaN or infinity: they become words, as in metrics.jsonl. */
function finite(values: Values): Record<string, number | string> {
  return Object.fromEntries(
    Object.entries(values).map(([name, value]) => [name, Number.isFinite(value) ? value : String(value)]),
  );
}

function table<T>(
  title: string,
  names: readonly string[],
  rows: readonly ComparedRow<T>[],
  text: (value: T) => string,
): string[] {
  if (rows.length === 0) return [];
  const columns: Column<ComparedRow<T>>[] = [
    { heading: title, cell: ({ name }) => name },
    ...names.map((heading, i) => ({
      heading,
      cell: ({ values }: ComparedRow<T>) => {
        const value = values[i];
        return value === undefined ? '-' : text(value);
      },
    })),
  ];
  return textTable(columns, rows);
}

function shortened(value: string): string {
  return value.length <= VALUE_CHARACTERS ? value : `${value.slice(0, SHORT_HASH)}…`;
}

function listed<T>(title: string, all: readonly T[], text: (one: T) => string): string[] {
  if (all.length === 0) return [];
  const shown = all.slice(-LISTED_MAX);
  const left = all.length - shown.length;
  return [
    `${title}${left > 0 ? ` (the last ${LISTED_MAX} of ${all.length})` : ''}:`,
    ...shown.map((one) => `  ${text(one)}`),
  ];
}
