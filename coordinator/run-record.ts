/* What a run has left: what it was asked for, and what happened in it, step by step. */
import { join } from 'node:path';
import * as v from 'valibot';
import { UserError } from '../shared/errors.js';
import { writeFileAtomically } from '../shared/files/atomic-file.js';
import { exists, readBoundedFile } from '../shared/files/read-file.js';
import { CONFIG_FILE, METRICS_FILE, type MetricsRecord, RUN_FORMAT } from './run-directory.js';

const CONFIG_BYTES_MAX = 16 * 2 ** 20;
const METRICS_BYTES_MAX = 2 ** 31 - 1;

const ConfigSchema = v.object({
  format: v.literal(RUN_FORMAT),
  recipe: v.string(),
  options: v.record(v.string(), v.unknown()),
});

/** What a run was asked for. */
export type RunConfig = v.InferOutput<typeof ConfigSchema>;

/**
 * @param path the run's directory
 * @throws UserError when there is no run
 */
export async function readRunConfig(path: string): Promise<RunConfig> {
  const file = join(path, CONFIG_FILE);
  if (!(await exists(file)))
    throw new UserError(`${path} is no run: it has no ${CONFIG_FILE}; name another`, 2);
  const text = new TextDecoder().decode(await readBoundedFile(file, CONFIG_BYTES_MAX));
  const result = v.safeParse(v.pipe(v.string(), v.parseJson(), ConfigSchema), text);
  if (result.success) return result.output;
  throw new UserError(`${file} is not of a run of this version of unisum; name another run`, 2);
}

/**
 * The lines of metrics.jsonl, in order, without what follows a step: a run goes on from a checkpoint, and what was to
 * come comes again. A line that was cut off is left out.
 */
export async function readMetrics(
  path: string,
  lastStep = Number.POSITIVE_INFINITY,
): Promise<MetricsRecord[]> {
  const file = join(path, METRICS_FILE);
  if (!(await exists(file))) return [];
  const text = new TextDecoder().decode(await readBoundedFile(file, METRICS_BYTES_MAX));
  return text.split('\n').flatMap((line) => {
    const record = parseLine(line);
    return record !== undefined && typeof record.step === 'number' && record.step <= lastStep ? [record] : [];
  });
}

/** Puts these lines in place of all that metrics.jsonl holds, whole or not at all. @throws UserError as it is written */
export async function writeMetrics(path: string, records: readonly MetricsRecord[]): Promise<void> {
  const text = records.map((record) => `${JSON.stringify(record)}\n`).join('');
  await writeFileAtomically(join(path, METRICS_FILE), [new TextEncoder().encode(text)]);
}

function parseLine(line: string): MetricsRecord | undefined {
  try {
    const value: unknown = JSON.parse(line);
    return typeof value === 'object' && value !== null ? (value as MetricsRecord) : undefined;
  } catch {
    return undefined;
  }
}
