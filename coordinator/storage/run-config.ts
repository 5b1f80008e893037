import { join } from 'node:path';
import * as v from 'valibot';
import { UserError } from '../../shared/errors.js';
import { writeFileAtomically } from '../../shared/files/atomic-file.js';
import { jsonText } from '../../shared/files/json.js';
import { exists, readBoundedFile } from '../../shared/files/read-file.js';

/** The file that says what a run was asked for. */
export const CONFIG_FILE = 'config.json';
/** Marks a directory as one of ours. Number 1 had no hash chain. */
export const RUN_FORMAT = 'unisum-run/2';
const CONFIG_BYTES_MAX = 16 * 2 ** 20;

const ConfigSchema = v.strictObject({
  format: v.literal(RUN_FORMAT),
  recipe: v.string(),
  started: v.string(),
  config: v.record(v.string(), v.unknown()),
  options: v.record(v.string(), v.unknown()),
});
/** A directory of any version may be used again. */
const AnyVersionSchema = v.object({ format: v.pipe(v.string(), v.regex(/^unisum-run\/\d+$/)) });

/** What a run was asked for. */
export interface RunConfig {
  readonly recipe: string;
  /** When the latest session was started, in ISO 8601. */
  readonly started: string;
  /** All settings of that session; must survive JSON. */
  readonly config: Readonly<Record<string, unknown>>;
  /** The words of its command line, to show how the run is resumed. */
  readonly options: Readonly<Record<string, unknown>>;
}

/** @param path the run's directory */
export async function writeRunConfig(
  path: string,
  { recipe, started, config, options }: RunConfig,
): Promise<void> {
  const text = JSON.stringify({ format: RUN_FORMAT, recipe, started, config, options }, null, 2);
  await writeFileAtomically(join(path, CONFIG_FILE), [new TextEncoder().encode(`${text}\n`)]);
}

/**
 * @param path the run's directory
 * @throws UserError when there is no run
 */
export async function readRunConfig(path: string): Promise<RunConfig> {
  const file = join(path, CONFIG_FILE);
  if (!(await exists(file)))
    throw new UserError(`${path} is not a run directory: ${CONFIG_FILE} not found; name another`, 2);
  const result = v.safeParse(v.pipe(jsonText, ConfigSchema), await textOf(file));
  if (result.success) return result.output;
  throw new UserError(`${file} is not of a run of this version of unisum; name another run`, 2);
}

/** Whether a directory is that of a run, of this or another version. */
export async function isRunDirectory(path: string): Promise<boolean> {
  const file = join(path, CONFIG_FILE);
  if (!(await exists(file))) return false;
  return v.is(v.pipe(jsonText, AnyVersionSchema), await textOf(file));
}

async function textOf(file: string): Promise<string> {
  return new TextDecoder().decode(await readBoundedFile(file, CONFIG_BYTES_MAX));
}
