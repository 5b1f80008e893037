import { stat } from 'node:fs/promises';
import { join } from 'node:path';
import * as v from 'valibot';
import { METRICS_FILE } from '../../coordinator/storage/run-directory.js';
import { exists, readInto, withRegularFile } from '../../shared/files/read-file.js';

/** Longest end of a record that is read: the line is among the last. */
const RECORD_BYTES_MAX = 2 ** 20;

const MeasuredLine = v.object({ event: v.literal('measured'), metrics: v.record(v.string(), v.unknown()) });

const FirstLine = v.object({ evaluationMetrics: v.optional(v.array(v.string()), []) });

/** The names of the metrics of evaluations that a run has computed beside its loss; empty where that is not known. */
export async function evaluationMetricNames(path: string): Promise<readonly string[]> {
  const file = join(path, METRICS_FILE);
  if (!(await stat(path)).isDirectory() || !(await exists(file))) return [];
  const text = await withRegularFile(file, {}, async (record, size) => {
    const bytes = new Uint8Array(Math.min(size, RECORD_BYTES_MAX));
    return (await readInto(record, bytes, 0)) ? new TextDecoder().decode(bytes) : '';
  });
  const [line = ''] = text.split('\n', 1);
  const { success, output } = v.safeParse(v.pipe(v.string(), v.parseJson(), FirstLine), line);
  return success ? output.evaluationMetrics : [];
}

/** The names of the recipe's own metrics that a run has recorded; undefined when it has recorded none. */
export async function measuredNames(path: string): Promise<readonly string[] | undefined> {
  if (!(await stat(path)).isDirectory()) return undefined;
  const file = join(path, METRICS_FILE);
  if (!(await exists(file))) return undefined;
  const text = await withRegularFile(file, {}, async (record, size) => {
    const bytes = new Uint8Array(Math.min(size, RECORD_BYTES_MAX));
    return (await readInto(record, bytes, size - bytes.length)) ? new TextDecoder().decode(bytes) : '';
  });
  for (const line of text.split('\n').reverse()) {
    if (!line.includes('"event":"measured"')) continue;
    const { success, output } = v.safeParse(v.pipe(v.string(), v.parseJson(), MeasuredLine), line);
    if (success) return Object.keys(output.metrics);
  }
  return undefined;
}
