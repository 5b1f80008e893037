import { BROWSER_STAND_INS } from '../../scripts/setup/browser-stand-ins.mjs';
import { importsOf } from './imports.js';
import { type Finding, findingAt, isTypeScript, type Source, walk } from './source.js';

const standIns = new Map<string, string>(Object.entries(BROWSER_STAND_INS));
/** Packages that run in browsers. */
const FOR_BROWSERS: readonly string[] = [
  '@noble/hashes',
  'lean-qr',
  'lit-html',
  'msgpackr',
  'uplot',
  'valibot',
];

/**
 * Imports of modules of Node, and of packages for Node, in any file that the page or its workers reach. Types do not
 * count: they are gone when the code runs. Files beside one another take their place (node-platform.ts, web-platform.ts).
 */
export function nodeInBrowser(sources: readonly Source[]): Finding[] {
  const code = new Map(sources.filter(isTypeScript).map((source) => [source.path, source]));
  const findings: Finding[] = [];
  const reached = new Set<string>();
  const waiting = [...code.keys()].filter((path) => path.startsWith('web/'));
  for (let path = waiting.pop(); path !== undefined; path = waiting.pop()) {
    const source = reached.has(path) ? undefined : code.get(path);
    if (source === undefined) continue;
    reached.add(path);
    const types = typeOnly(source);
    for (const found of importsOf(source)) {
      if (types.some(({ start, end }) => start <= found.start && found.start < end)) continue;
      if (found.kind === 'file') waiting.push(standIns.get(found.target) ?? found.target);
      else if (!FOR_BROWSERS.includes(found.target))
        findings.push(findingAt(source, found, `a browser reaches this file and has no ${found.target}`));
    }
  }
  return findings;
}

interface Span {
  readonly start: number;
  readonly end: number;
}

/** The declarations that import or export nothing but types. */
function typeOnly(source: Source): Span[] {
  const spans: Span[] = [];
  walk(source, (node) => {
    const declares = /^(Import|ExportNamed|ExportAll)Declaration$/.test(node.type);
    const specifiers = (node.specifiers ?? []) as { importKind?: string }[];
    const onlyTypes = specifiers.length > 0 && specifiers.every(({ importKind }) => importKind === 'type');
    const isType = node.importKind === 'type' || node.exportKind === 'type' || onlyTypes;
    if ((declares && isType) || node.type === 'TSImportType') spans.push(node as unknown as Span);
  });
  return spans;
}
