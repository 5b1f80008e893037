import { basename } from 'node:path';
import { type Finding, isTypeScript, parse, type Source } from './source.js';

/** A file is one idea: this many lines hold one as a rule. */
const LINES_MAX = 250;
/** Kinds of files that people write and read as code. */
const CODE = /\.(ts|mjs|c|h|py|sh|css|html)$/;
const KEBAB = /^[a-z0-9]+(-[a-z0-9]+)*(\.[a-z0-9]+(-[a-z0-9]+)*)*$/;

/** Files longer than the rule, each with its reason. */
export type LongFiles = Readonly<Record<string, string>>;

/** Files that are too long without a reason, and reasons that no longer have a file. */
export function longFiles(sources: readonly Source[], excused: LongFiles): Finding[] {
  const findings: Finding[] = [];
  const long = new Set<string>();
  for (const { path, text } of sources.filter((source) => CODE.test(source.path))) {
    const lines = text.split('\n').length - 1;
    if (lines <= LINES_MAX) continue;
    long.add(path);
    if (!(path in excused)) findings.push(`${path}: ${lines} lines, more than ${LINES_MAX}: is it one idea?`);
  }
  for (const path of Object.keys(excused)) {
    if (!long.has(path)) findings.push(`${path}: excused from the length rule without need`);
  }
  return findings;
}

/** Names of code files other than in kebab-case. */
export function wrongNames(sources: readonly Source[]): Finding[] {
  return sources
    .filter(({ path }) => CODE.test(path) && !KEBAB.test(basename(path)))
    .map(({ path }) => `${path}: file names are in kebab-case`);
}

/** Default exports, which have no name to search for, and files that only pass on what others export. */
export function wrongExports(sources: readonly Source[]): Finding[] {
  const findings: Finding[] = [];
  for (const source of sources.filter(isTypeScript)) {
    const { body } = parse(source).program;
    // Tools ask for the default export of their settings.
    if (
      !/(^|\/)[a-z]+\.config\.ts$/.test(source.path) &&
      body.some(({ type }) => type === 'ExportDefaultDeclaration')
    ) {
      findings.push(`${source.path}: a default export; give it a name`);
    }
    const passesOn =
      body.length > 0 &&
      body.every((node) => 'source' in node && node.source && node.type !== 'ImportDeclaration');
    if (passesOn) findings.push(`${source.path}: only re-exports; import from where things are`);
  }
  return findings;
}
