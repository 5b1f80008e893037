import { homedir, platform } from 'node:os';
import { join } from 'node:path';

/**
 * The folder in which Unisum keeps what it can make or fetch again, by the conventions of the system. It may not exist yet, and may
 * not be writable.
 * @param environment variables of the process
 */
export function userCache(environment: Readonly<Record<string, string | undefined>> = process.env): string {
  const { XDG_CACHE_HOME, LOCALAPPDATA } = environment;
  if (XDG_CACHE_HOME) return join(XDG_CACHE_HOME, 'unisum');
  if (platform() === 'win32' && LOCALAPPDATA) return join(LOCALAPPDATA, 'unisum', 'cache');
  const home = homedir();
  return platform() === 'darwin' ? join(home, 'Library', 'Caches', 'unisum') : join(home, '.cache', 'unisum');
}
