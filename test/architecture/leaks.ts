import { type Finding, findingAt, type Source } from './source.js';

/** Folders that exist on one machine only. */
const MACHINE_PATH = /(?<![\w.}:/-])\/(work|root|home|Users|tmp|mnt|opt)\/[\w.-]+/g;
const URL_HOST = /\bhttps?:\/\/(?:[\w-]+@)?([\w.-]+)/g;

/** Hosts that are publicly known. */
const PUBLIC_HOSTS = new Set(
  'nodejs.org www.npmjs.com github.com git-lfs.github.com arxiv.org doi.org www.w3.org localhost host example.com '
    .concat('docs.pytorch.org flower.ai horovod.readthedocs.io semver.org www.tensorflow.org')
    .split(' '),
);

/** Paths of one machine, and addresses of hosts that are not in PUBLIC_HOSTS (such as a package mirror). */
export function leaks(sources: readonly Source[]): Finding[] {
  const findings: Finding[] = [];
  for (const source of sources) {
    for (const match of source.text.matchAll(MACHINE_PATH)) {
      findings.push(findingAt(source, { start: match.index }, `${match[0]} is a path of one machine`));
    }
    for (const match of source.text.matchAll(URL_HOST)) {
      const host = match[1]!.toLowerCase();
      if (isPublic(source, host)) continue;
      findings.push(
        findingAt(source, { start: match.index }, `${host} is not among the public hosts of leaks.ts`),
      );
    }
  }
  return findings;
}

/** Also loopback addresses, and in the lock file the funding pages of packages. */
function isPublic({ path, text }: Source, host: string): boolean {
  if (PUBLIC_HOSTS.has(host) || /^(127\.0\.0\.1|0\.0\.0\.0|\[::1?\])$/.test(host)) return true;
  return path === 'package-lock.json' && !text.includes('"resolved"');
}
