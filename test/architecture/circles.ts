import { importsOf } from './imports.js';
import { type Finding, isTypeScript, type Source } from './source.js';

/**
 * Circular imports, types included: each circle is one finding that lists its files in order. Found by depth-first
 * search; meeting a file of the current path again closes a circle.
 */
export function circles(sources: readonly Source[]): Finding[] {
  const targets = new Map<string, string[]>();
  for (const source of sources.filter(isTypeScript)) {
    const files = importsOf(source).filter(({ kind }) => kind === 'file');
    targets.set(
      source.path,
      files.map(({ target }) => target),
    );
  }
  const findings = new Set<Finding>();
  const done = new Set<string>();
  const path: string[] = [];
  const visit = (file: string): void => {
    const met = path.indexOf(file);
    if (met >= 0) findings.add(`${[...path.slice(met), file].join(' -> ')}: a circle of imports`);
    if (met >= 0 || done.has(file)) return;
    path.push(file);
    for (const target of targets.get(file) ?? []) visit(target);
    path.pop();
    done.add(file);
  };
  for (const file of targets.keys()) visit(file);
  return [...findings];
}
