import { dirname, join, relative, resolve, sep } from 'node:path';
import { REPORT_FILES } from '../../../coordinator/storage/run-directory.js';
import { UserError } from '../../../shared/errors.js';
import { writeFileAtomically } from '../../../shared/files/atomic-file.js';
import { exists } from '../../../shared/files/read-file.js';
import { describeMetrics } from '../../../trainer/result.js';
import { type ComparedRow, type Comparison, compareRuns } from '../../run-records/comparison.js';
import type { RunList } from '../../run-records/run-list.js';
import { evaluatedLoss, type RunRecord, readRun, stepsAsked } from '../../run-records/run-record.js';
import { otherSettingsOf, weightSettingsOf } from '../../run-records/run-settings.js';
import { eventText, numberText, partingLines, SHORT_HASH, startedText } from '../../run-records/run-text.js';
import { fillPage } from '../page.js';
import { type Chart, chartOf, type LabelledPoints, type Point } from './curves.js';
import { gradientNorms } from './gradient-norms.js';
import { learningRates } from './learning-rates.js';

/** A table of a page; its first column names the rows. */
interface PageTable {
  readonly title: string;
  readonly columns: readonly string[];
  readonly rows: readonly (readonly string[])[];
  /** Its cells are words and not numbers. */
  readonly isWords?: true;
  /** Its headings sort the rows. */
  readonly isSortable?: true;
  /** Where the name of each row leads to, as a relative address; absent: nowhere. */
  readonly links?: readonly (string | undefined)[];
}

/** What a page about runs shows. */
export interface RunPage {
  readonly title: string;
  readonly lines: readonly string[];
  readonly charts: readonly Chart[];
  readonly tables: readonly PageTable[];
}

/** Stands for a value that a run does not have. */
const MISSING = '–';
/** Most charts of metrics: a page with more is read by nobody. */
const METRIC_CHARTS_MAX = 12;
/** Most curves of a chart that can be told apart. */
const CURVES_MAX = 8;

/**
 * Writes the page of a run, run.html, into its directory or elsewhere.
 * @param path the directory of the run
 * @param file default: run.html in the directory
 * @returns the path of the page
 * @throws UserError when the run cannot be read, or the page cannot be written
 */
export async function writeRunReport(path: string, file?: string): Promise<string> {
  const run = await readRun(path);
  const page = file ?? join(path, REPORT_FILES.page);
  await writePage(page, runPage(run, await gradientNorms(path)));
  return page;
}

/** Writes a page about runs. @throws UserError when it cannot be written */
export async function writePage(file: string, content: RunPage): Promise<void> {
  const html = await fillPage(new URL('./page/', import.meta.url), content);
  await writeFileAtomically(file, [Buffer.from(html)]);
}

/** What the page of one run shows. @param gradients norms, empty where none were inspected */
export function runPage(run: RunRecord, gradients: readonly LabelledPoints[]): RunPage {
  const { name, config, state, steps, final, best, weightsSha256, events, hashes } = run;
  const inspect = 'Not recorded: train with --inspect-gradients.';
  return {
    title: name,
    lines: [
      `${config.recipe}: ${state}, ${steps} of ${stepsAsked(run)} steps, started ${config.started}`,
      ...(Object.keys(final).length > 0 ? [`Final metrics: ${describeMetrics(final)}`] : []),
      ...(best === undefined
        ? []
        : [`Best evaluation, after step ${best.step}: ${describeMetrics(best.metrics)}`]),
      `Weights: ${weightsSha256 ?? 'not saved, as the run has not ended'}`,
      ...(run.takenBack > 0 ? [`${run.takenBack} steps were taken back and computed again.`] : []),
      ...run.notes,
    ],
    charts: [
      ...metricCharts([run], false),
      chartOf('Learning rate', [{ label: 'rate', points: ratesOf(run) }]),
      chartOf('Gradient norms', gradients, {
        isLogarithmic: true,
        ...(gradients.length === 0 && { note: inspect }),
      }),
      chartOf('Members', [membersOf(run, 'members')], { note: 'Workers that took part in each step.' }),
    ],
    tables: [
      words('Settings that decide the weights', ['setting', 'value'], Object.entries(weightSettingsOf(run))),
      words('Other settings', ['setting', 'value'], Object.entries(otherSettingsOf(run))),
      words(
        'Events',
        ['after step', 'what happened'],
        events.map(({ step, event, details }) => [String(step), eventText(event, details)]),
      ),
      words(
        'Hashes of the weights',
        ['after step', 'SHA-256'],
        hashes.map(({ step, weightsSha256: hash }) => [String(step), hash]),
      ),
    ].filter(({ rows }) => rows.length > 0),
  };
}

/** What a page of runs beside each other shows. */
export function comparisonPage({ runs, settings, otherSettings, metrics, partings }: Comparison): RunPage {
  const names = runs.map(({ name }) => name);
  const table = <T>(
    title: string,
    rows: readonly ComparedRow<T>[],
    text: (value: T) => string,
  ): PageTable => ({
    title,
    columns: ['', ...names],
    rows: rows.map(({ name, values }) => [
      name,
      ...values.map((value) => (value === undefined ? MISSING : text(value))),
    ]),
  });
  return {
    title: `${runs.length} runs`,
    lines: [
      settings.length === 0 ? 'All settings that decide the weights are equal.' : '',
      ...partings.flatMap(partingLines).map((line) => line.trim()),
    ].filter((line) => line !== ''),
    charts: [
      ...metricCharts(runs, true),
      chartOf(
        'Learning rate',
        runs.map((run) => ({ label: run.name, points: ratesOf(run) })),
      ),
      chartOf(
        'Members',
        runs.map((run) => membersOf(run, run.name)),
      ),
    ],
    tables: [
      table('Settings that differ', settings, String),
      table('Other settings that differ', otherSettings, String),
      table('Metrics', metrics, numberText),
      table('Weights', [{ name: 'hash', values: runs.map(({ weightsSha256 }) => weightsSha256) }], String),
    ].filter(({ rows }) => rows.length > 0),
  };
}

/**
 * Addresses of the pages of runs, from another page.
 * @param file the other page
 * @returns for each run; undefined where it has no page
 */
export async function pageLinks(
  runs: readonly RunRecord[],
  file: string,
): Promise<readonly (string | undefined)[]> {
  const from = dirname(resolve(file));
  return Promise.all(
    runs.map(async ({ path }) => {
      const page = resolve(path, REPORT_FILES.page);
      if (!(await exists(page))) return undefined;
      return relative(from, page).split(sep).map(encodeURIComponent).join('/');
    }),
  );
}

/**
 * What the page of a folder of runs shows.
 * @param runs one or more, the latest first
 * @param links where the name of each run leads to
 */
export function listPage(
  folder: string,
  { runs, unreadable }: RunList,
  links: readonly (string | undefined)[],
): RunPage {
  const drawn = runs.slice(0, CURVES_MAX);
  const { settings, otherSettings } = compareRuns(runs);
  const metrics = runs.map(({ final }) => final);
  const sortable = (title: string, rows: readonly ComparedRow<string>[]): PageTable => ({
    ...{ title, isWords: true, isSortable: true, links },
    columns: ['run', ...rows.map(({ name }) => name)],
    rows: runs.map(({ name }, i) => [name, ...rows.map(({ values }) => values[i] ?? MISSING)]),
  });
  const row = (name: string, text: (run: RunRecord) => string | undefined): ComparedRow<string> => ({
    name,
    values: runs.map(text),
  });
  return {
    title: `${runs.length} ${runs.length === 1 ? 'run' : 'runs'} in ${folder}`,
    lines: [
      ...(drawn.length < runs.length ? [`The charts show the latest ${drawn.length} runs.`] : []),
      ...unreadable.map(({ path, why }) => `${path} cannot be read: ${why}`),
    ],
    charts: metricCharts(drawn, true),
    tables: [
      sortable('Runs', [
        row('recipe', ({ config }) => config.recipe),
        row('state', ({ state }) => state),
        row('steps', ({ steps }) => String(steps)),
        ...namesOf(metrics).map((name) => row(name, ({ final }) => textOf(final[name]))),
        row('best loss', ({ best }) => textOf(best && evaluatedLoss(best.metrics))),
        row('started', startedText),
        row('weights', ({ weightsSha256 }) => weightsSha256?.slice(0, SHORT_HASH)),
      ]),
      sortable('Settings that differ', settings),
      sortable('Other settings that differ', otherSettings),
    ].filter(({ columns }) => columns.length > 1),
  };
}

/**
 * Charts of the loss and of every other metric. Of one run, training and evaluations share a chart; of several, they have one
 * each, with a curve of every run.
 */
function metricCharts(runs: readonly RunRecord[], areCompared: boolean): Chart[] {
  const charts = new Map<string, LabelledPoints[]>();
  for (const run of runs) {
    const add = (metric: string, set: string, points: readonly Point[]): void => {
      const name = `${metric.slice(0, 1).toUpperCase()}${metric.slice(1)}`;
      const title = areCompared ? `${name}, ${set}` : name;
      const curve = { label: areCompared ? run.name : set, points };
      charts.set(title, [...(charts.get(title) ?? []), curve]);
    };
    for (const name of namesOf(run.course.map(({ means }) => means)))
      add(name, 'training', pointsOf(run.course.map(({ step, means }) => [step, means[name]])));
    for (const name of namesOf(run.evaluations.map(({ metrics }) => metrics))) {
      const [, set = 'evaluation', metric = name] = /^(test|validation)(.+)$/.exec(name) ?? [];
      const points = run.evaluations.map(({ step, metrics }) => [step, metrics[name]] as const);
      add(metric.slice(0, 1).toLowerCase() + metric.slice(1), set, pointsOf(points));
    }
  }
  return [...charts].slice(0, METRIC_CHARTS_MAX).map(([title, labelled]) => chartOf(title, labelled));
}

function textOf(value: number | undefined): string | undefined {
  return value === undefined ? undefined : numberText(value);
}

function namesOf(all: readonly Readonly<Record<string, number>>[]): string[] {
  return [...new Set(all.flatMap((values) => Object.keys(values)))];
}

function pointsOf(points: readonly (readonly [number, number | undefined])[]): Point[] {
  return points.flatMap(([step, value]): Point[] => (value === undefined ? [] : [[step, value]]));
}

function membersOf({ course }: RunRecord, label: string): LabelledPoints {
  return { label, points: course.map(({ step, workers }) => [step, workers]) };
}

/** Of a record whose schedule this version does not know, there are none. */
function ratesOf(run: RunRecord): Point[] {
  try {
    return learningRates(run);
  } catch (error) {
    if (error instanceof UserError) return [];
    throw error;
  }
}

function words(title: string, columns: readonly string[], rows: readonly (readonly string[])[]): PageTable {
  return { title, columns, rows, isWords: true };
}
