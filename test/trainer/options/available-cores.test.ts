import { availableParallelism } from 'node:os';
import { expect, it } from 'vitest';
import { availableCores, cpuQuota } from '../../../trainer/options/available-cores.js';

/** Reads from files that are given here. */
const reader = (files: Record<string, string>) => (path: string) => {
  const text = files[path];
  if (text === undefined) throw new Error('ENOENT');
  return text;
};

it.each<[string, Record<string, string>, number]>([
  ['no control groups', {}, Number.POSITIVE_INFINITY],
  [
    'no quota',
    { '/proc/self/cgroup': '0::/\n', '/sys/fs/cgroup/cpu.max': 'max 100000\n' },
    Number.POSITIVE_INFINITY,
  ],
  [
    'a quota of the own group',
    { '/proc/self/cgroup': '0::/a/b\n', '/sys/fs/cgroup/a/b/cpu.max': '250000 100000\n' },
    2.5,
  ],
  [
    'a smaller quota of a group around it',
    {
      '/proc/self/cgroup': '0::/a/b\n',
      '/sys/fs/cgroup/a/b/cpu.max': '400000 100000\n',
      '/sys/fs/cgroup/a/cpu.max': '150000 100000\n',
    },
    1.5,
  ],
  [
    'a container whose group is the root',
    { '/proc/self/cgroup': '0::/../../x\n', '/sys/fs/cgroup/cpu.max': '300000 100000\n' },
    3,
  ],
  [
    'version 1',
    {
      '/proc/self/cgroup': '5:memory:/m\n4:cpu,cpuacct:/docker/1\n',
      '/sys/fs/cgroup/cpu/docker/1/cpu.cfs_quota_us': '50000\n',
      '/sys/fs/cgroup/cpu/docker/1/cpu.cfs_period_us': '100000\n',
    },
    0.5,
  ],
  [
    'version 1 without a quota',
    {
      '/proc/self/cgroup': '4:cpu,cpuacct:/\n',
      '/sys/fs/cgroup/cpu/cpu.cfs_quota_us': '-1\n',
      '/sys/fs/cgroup/cpu/cpu.cfs_period_us': '100000\n',
    },
    Number.POSITIVE_INFINITY,
  ],
])('reads the CPU quota: %s', (_, files, cores) => {
  expect(cpuQuota(reader(files))).toBe(cores);
});

it('never gives less than one core, nor more than the scheduler', () => {
  const cores = availableCores();
  expect(cores).toBeGreaterThanOrEqual(1);
  expect(cores).toBeLessThanOrEqual(availableParallelism());
});
