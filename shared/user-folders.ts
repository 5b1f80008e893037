import { homedir, platform } from 'node:os';
import { join } from 'node:path';

type Environment = Readonly<Record<string, string | undefined>>;

/**
 * The folder in which Unisum keeps what it can make or fetch again, by the conventions of the system. It may not exist yet, and may
 * not be writable.
 * @param environment variables of the process
 */
export function userCache(environment: Environment = process.env, home = userHome()): string {
  const { XDG_CACHE_HOME, LOCALAPPDATA } = environment;
  if (XDG_CACHE_HOME) return join(XDG_CACHE_HOME, 'unisum');
  if (platform() === 'win32' && LOCALAPPDATA) return join(LOCALAPPDATA, 'unisum', 'cache');
  return platform() === 'darwin' ? join(home, 'Library', 'Caches', 'unisum') : join(home, '.cache', 'unisum');
}

/**
 * The folder in which Unisum keeps what it must not lose. It may not exist yet, and may not be writable.
 * @param environment variables of the process
 */
export function userSettings(environment: Environment = process.env, home = userHome()): string {
  return join(environment.XDG_CONFIG_HOME || join(home, '.config'), 'unisum');
}

/**
 * The user's home. `/` stands for one that is not known, as container engines have it: of a user who has no entry in the system's
 * list, and when the variable HOME is empty, which would make the folders relative to the current one.
 * @param homeOf asks the system
 */
export function userHome(homeOf = homedir): string {
  try {
    return homeOf() || '/';
  } catch {
    return '/';
  }
}
