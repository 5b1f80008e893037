import { join } from 'node:path';
import { writeFileAtomically } from '../../../shared/files/atomic-file.js';
import { explainFileError } from '../../../shared/files/file-error.js';
import { makeDirectories } from '../../../shared/files/make-directory.js';
import { gradientNorms } from '../../reports/run/gradient-norms.js';
import type { RunRecord } from '../run-record.js';
import { csvLines } from './csv.js';
import { type Series, seriesOf } from './series.js';
import { eventFileName, eventRecords } from './tensorboard.js';

/** Formats of the metrics of a run, and what each is. */
export const METRIC_FORMATS = {
  tensorboard: 'an event file, for tensorboard --logdir',
  csv: 'a table with a row for each step',
} as const;
export type MetricFormat = keyof typeof METRIC_FORMATS;

/** A file's name, and its bytes piece by piece. */
const WRITERS: Readonly<
  Record<MetricFormat, (series: readonly Series[], wallSeconds: number) => [string, Iterable<Uint8Array>]>
> = {
  tensorboard: (series, wallSeconds) => [eventFileName(wallSeconds), eventRecords(series, wallSeconds)],
  csv: (series) => ['metrics.csv', encoded(csvLines(series))],
};

/**
 * Writes the metrics of a run for other tools, into a folder, which is created if it does not exist.
 * @returns the path of the file
 * @throws UserError when it cannot be written
 */
export async function exportRun(run: RunRecord, format: MetricFormat, folder: string): Promise<string> {
  const series = seriesOf(run, await gradientNorms(run.path));
  const started = Date.parse(run.config.started);
  const [name, pieces] = WRITERS[format](series, Number.isFinite(started) ? started / 1000 : 0);
  try {
    await makeDirectories(folder);
  } catch (error) {
    throw explainFileError(error, `cannot create ${folder}`);
  }
  const file = join(folder, name);
  await writeFileAtomically(file, pieces);
  return file;
}

function* encoded(lines: Iterable<string>): Generator<Uint8Array> {
  const encoder = new TextEncoder();
  for (const line of lines) yield encoder.encode(line);
}
