import { readFileSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { join } from 'node:path';

/** Where Linux shows control groups. */
const CGROUPS = '/sys/fs/cgroup';

/**
 * Cores that this process may use: those that the scheduler gives it, or fewer when its control group has a CPU quota, as in
 * containers. More threads than the quota would be halted in the middle of a step.
 */
export function availableCores(): number {
  const quota = cpuQuota((path) => readFileSync(path, 'utf8'));
  return Math.max(1, Math.min(availableParallelism(), Math.floor(quota)));
}

/**
 * The CPU quota of this process in cores, of version 1 or 2 of control groups; infinite when there is none.
 * @param read the text of a file; throws when there is no such file
 */
export function cpuQuota(read: (path: string) => string): number {
  const tryRead = (path: string): string => {
    try {
      return read(path);
    } catch {
      return '';
    }
  };
  let least = Number.POSITIVE_INFINITY;
  for (const line of tryRead('/proc/self/cgroup').split('\n')) {
    const [, controllers, path] = /^\d+:([^:]*):(\/.*)$/.exec(line) ?? [];
    if (controllers === undefined || path === undefined) continue;
    const isV2 = controllers === '';
    if (!isV2 && !controllers.split(',').includes('cpu')) continue;
    const root = isV2 ? CGROUPS : join(CGROUPS, 'cpu');
    // The quota of a group holds for all groups inside of it. In a container, the group itself is the root.
    for (const folder of foldersTo(root, path)) {
      const [quota = '', period = ''] = isV2
        ? tryRead(join(folder, 'cpu.max')).trim().split(' ')
        : [tryRead(join(folder, 'cpu.cfs_quota_us')), tryRead(join(folder, 'cpu.cfs_period_us'))];
      const cores = Number.parseInt(quota, 10) / Number.parseInt(period, 10);
      if (cores > 0) least = Math.min(least, cores);
    }
  }
  return least;
}

/** The folder of a control group, and those around it. */
function foldersTo(root: string, path: string): string[] {
  const parts = path.split('/').filter((part) => part !== '' && part !== '..');
  return Array.from({ length: parts.length + 1 }, (_, i) => join(root, ...parts.slice(0, i)));
}
