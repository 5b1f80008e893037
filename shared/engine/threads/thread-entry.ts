import { existsSync } from 'node:fs';
import { extname } from 'node:path';
import { fileURLToPath } from 'node:url';
import { UserError } from '../../errors.js';

/**
 * Path of the compiled thread.js, the file that compute threads start with. Threads cannot run TypeScript sources as a
 * test does, so from a source file it is the path in dist/.
 *
 * @param from URL of this module
 * @throws UserError when it has not been built
 */
export function threadEntry(from: string = import.meta.url): string {
  const folder = extname(from) === '.ts' ? '../../../dist/shared/engine/threads/' : './';
  const path = fileURLToPath(new URL(`${folder}thread.js`, from));
  if (!existsSync(path)) {
    throw new UserError(`the compiled compute thread is missing (${path}): run npm run build`);
  }
  return path;
}
