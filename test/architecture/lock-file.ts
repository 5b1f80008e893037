import type { Finding, Source } from './source.js';

interface Locked {
  readonly version?: string;
  readonly dependencies?: Readonly<Record<string, string>>;
  readonly optionalDependencies?: Readonly<Record<string, string>>;
}

/**
 * Packages that package-lock.json names as a dependency but does not list: `npm ci` would refuse the file. This happens
 * when npm writes the file while a package for another platform is not available.
 */
export function missingFromLock(sources: readonly Source[]): Finding[] {
  const text = sources.find(({ path }) => path === 'package-lock.json')?.text ?? '{}';
  const { packages = {} } = JSON.parse(text) as { packages?: Record<string, Locked> };
  const findings: Finding[] = [];
  for (const [path, { dependencies, optionalDependencies }] of Object.entries(packages)) {
    for (const name of Object.keys({ ...dependencies, ...optionalDependencies })) {
      if (candidates(path, name).some((place) => packages[place]?.version)) continue;
      findings.push(`package-lock.json: ${name}, required by ${path || 'package.json'}, is missing`);
    }
  }
  return findings;
}

/** Where Node looks for a package: in the importer's own node_modules, then in those of the folders around it. */
function candidates(path: string, name: string): string[] {
  const owners = path === '' ? [''] : `/${path}`.split('/node_modules/');
  return owners
    .map((_, depth) => [...owners.slice(0, depth + 1), name].join('/node_modules/').slice(1))
    .reverse();
}
