import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';

const run = promisify(execFile);

/**
 * Compiles a C program of this folder and uses it.
 * @param source file name, such as "peak.c"
 * @param use is given the path of the program, which exists until the promise settles
 * @returns undefined without a C compiler that supports this machine, or outside of a checkout
 */
export async function withCProgram<T>(
  source: string,
  flags: readonly string[],
  use: (program: string) => Promise<T>,
): Promise<T | undefined> {
  const path = ['./', '../../../scripts/bench/']
    .map((folder) => fileURLToPath(new URL(`${folder}${source}`, import.meta.url)))
    .find((candidate) => existsSync(candidate));
  if (path === undefined) return undefined;
  const folder = await mkdtemp(join(tmpdir(), 'unisum-bench-'));
  try {
    const program = join(folder, 'program');
    const isCompiled = await run('cc', [...flags, path, '-o', program]).then(
      () => true,
      () => false,
    );
    return isCompiled ? await use(program) : undefined;
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}
