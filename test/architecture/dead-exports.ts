import { importsOf } from './imports.js';
import { type Finding, findingAt, isTypeScript, parse, type Source, walk } from './source.js';

/** Exports that are kept although nothing in the project imports them: "path name" or "folder/", and the reason. */
export type Allowed = Readonly<Record<string, string>>;

/**
 * Exports that no other file uses, and exceptions that are no longer needed. A use in a test counts for a file of the
 * product only if that file uses the name itself too: code that only its test needs is dead. Types are exempt, since an
 * exported function's signature may need their names.
 */
export function deadExports(sources: readonly Source[], allowed: Allowed): Finding[] {
  const modules = sources.filter(isTypeScript);
  const used = new Set<string>();
  const tested = new Set<string>();
  for (const source of modules) {
    for (const { target, names } of importsOf(source)) {
      const uses = isTest(source.path) && !isTest(target) ? tested : used;
      for (const name of names) uses.add(`${target} ${name}`);
    }
  }
  const exceptions = Object.keys(allowed);
  const needed = new Set<string>();
  const findings: Finding[] = [];
  for (const source of modules) {
    for (const { start, name } of valuesExported(source)) {
      const keys = [`${source.path} ${name}`, `${source.path} *`];
      if (keys.some((key) => used.has(key))) continue;
      if (keys.some((key) => tested.has(key)) && usesItself(source, name)) continue;
      const exception = exceptions.find((key) =>
        key.endsWith('/') ? source.path.startsWith(key) : key === keys[0],
      );
      if (exception === undefined)
        findings.push(findingAt(source, { start }, `nothing uses the export ${name}`));
      else needed.add(exception);
    }
  }
  for (const key of exceptions) {
    if (!needed.has(key)) findings.push(`${key}: LIVE_EXPORTS has an exception that is no longer needed`);
  }
  return findings;
}

/** Whether `name` occurs in the code of `source` beyond its declaration. */
function usesItself(source: Source, name: string): boolean {
  let occurrences = 0;
  walk(source, (node) => {
    if (node.type === 'Identifier' && node.name === name) occurrences += 1;
  });
  return occurrences > 1;
}

const isTest = (path: string): boolean => path.startsWith('test/');

function valuesExported(source: Source): { start: number; name: string }[] {
  const types = typeNames(source);
  return parse(source)
    .module.staticExports.flatMap(({ entries }) => entries)
    .filter(({ isType, exportName }) => !isType && !types.has(exportName.name ?? ''))
    .map(({ start, exportName }) => ({ start, name: exportName.name ?? 'default' }));
}

/** Names of interfaces and type aliases that are declared with `export`. */
function typeNames(source: Source): Set<string> {
  const names = new Set<string>();
  for (const node of parse(source).program.body) {
    if (node.type !== 'ExportNamedDeclaration') continue;
    const { declaration } = node;
    if (declaration?.type === 'TSInterfaceDeclaration' || declaration?.type === 'TSTypeAliasDeclaration') {
      names.add(declaration.id.name);
    }
  }
  return names;
}
