import { basename } from 'node:path';
import { type Finding, isTypeScript, parse, type Source } from './source.js';

/** Most ideas fit into this many lines. A longer file is fine when it has a reason in LONG_FILES (exceptions.ts). */
const LINES_MAX = 300;
/** Kinds of files that people write and read as code. */
const CODE = /\.(ts|mjs|c|h|py|sh|css|html)$/;
const KEBAB = /^[a-z0-9]+(-[a-z0-9]+)*(\.[a-z0-9]+(-[a-z0-9]+)*)*$/;

/** Reasons of long files by path. */
export type LongFiles = Readonly<Record<string, string>>;

/** Long files without a reason, and reasons whose file is gone or no longer long. */
export function longFiles(sources: readonly Source[], reasons: LongFiles): Finding[] {
  const findings: Finding[] = [];
  const long = new Set<string>();
  for (const { path, text } of sources.filter((source) => CODE.test(source.path))) {
    const lines = text.split('\n').length - 1;
    if (lines <= LINES_MAX) continue;
    long.add(path);
    if (reasons[path]?.trim()) continue;
    findings.push(
      `${path}: ${lines} lines, more than ${LINES_MAX}: if it is one idea, say why in LONG_FILES (exceptions.ts)`,
    );
  }
  for (const path of Object.keys(reasons)) {
    if (!long.has(path)) findings.push(`${path}: LONG_FILES has a reason that is no longer needed`);
  }
  return findings;
}

/** Code files whose names are not in kebab-case. */
export function wrongNames(sources: readonly Source[]): Finding[] {
  return sources
    .filter(({ path }) => CODE.test(path) && !KEBAB.test(basename(path)))
    .map(({ path }) => `${path}: file names are in kebab-case`);
}

/** Default exports, which have no name to search for, and files that only re-export. */
export function wrongExports(sources: readonly Source[]): Finding[] {
  const findings: Finding[] = [];
  for (const source of sources.filter(isTypeScript)) {
    const { body } = parse(source).program;
    // Configuration files need a default export.
    if (
      !/(^|\/)[a-z]+\.config\.ts$/.test(source.path) &&
      body.some(({ type }) => type === 'ExportDefaultDeclaration')
    ) {
      findings.push(`${source.path}: a default export; give it a name`);
    }
    const onlyReexports =
      body.length > 0 &&
      body.every((node) => 'source' in node && node.source && node.type !== 'ImportDeclaration');
    if (onlyReexports) findings.push(`${source.path}: only re-exports; import from where things are`);
  }
  return findings;
}
