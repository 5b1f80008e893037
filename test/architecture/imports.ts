import { posix } from 'node:path';
import { parse, type Source, type SyntaxNode, walk } from './source.js';

/** A reference from a module to a file, a package or a module of Node. */
export interface Import {
  /** Offset in the text. */
  readonly start: number;
  /** Path of the project's file, "ws" or "@scope/name" for a package, "node:fs" for a module of Node. */
  readonly target: string;
  readonly kind: 'file' | 'package' | 'node';
  /** Imported names; '*' stands for all of them. */
  readonly names: readonly string[];
}

const ALL = ['*'];

/**
 * All references of a module: static and dynamic imports, re-exports, types by `import('...')`, and files named by
 * `new URL('./file.js', import.meta.url)`, which threads are started with.
 */
export function importsOf(source: Source): Import[] {
  const { module } = parse(source);
  const found: Import[] = [];
  const add = (start: number, specifier: string, names: readonly string[]): void => {
    found.push({ start, names, ...resolve(source.path, specifier) });
  };
  for (const { start, moduleRequest, entries } of module.staticImports) {
    const names = entries.map(({ importName }) => {
      if (importName.kind === 'Default') return 'default';
      return importName.kind === 'NamespaceObject' ? '*' : (importName.name ?? '*');
    });
    add(start, moduleRequest.value, names);
  }
  walk(source, (node) => addReference(node, add));
  return found;
}

type Add = (start: number, specifier: string, names: readonly string[]) => void;

function addReference(node: SyntaxNode, add: Add): void {
  const literal = (value: unknown): string | undefined => {
    const text = (value as { value?: unknown } | undefined)?.value;
    return typeof text === 'string' ? text : undefined;
  };
  let specifier: string | undefined;
  let names: readonly string[] = ALL;
  switch (node.type) {
    case 'ExportAllDeclaration':
    case 'ImportExpression':
    case 'TSImportType':
      specifier = literal(node.source);
      break;
    case 'ExportNamedDeclaration':
      specifier = literal(node.source);
      names = (node.specifiers as { local: { name: string } }[]).map(({ local }) => local.name);
      break;
    case 'NewExpression': {
      const [first, second] = node.arguments as SyntaxNode[];
      const isUrl = (node.callee as { name?: string }).name === 'URL' && second?.type === 'MemberExpression';
      const text = literal(first);
      // Other URLs name folders or assets, not modules.
      if (isUrl && text && /\.(js|ts|mjs)$/.test(text)) specifier = text;
      break;
    }
  }
  if (specifier !== undefined) add(node.start, specifier, names);
}

function resolve(from: string, specifier: string): Pick<Import, 'target' | 'kind'> {
  if (specifier.startsWith('node:')) return { target: specifier, kind: 'node' };
  if (!specifier.startsWith('.')) {
    const parts = specifier.split('/');
    return { target: parts.slice(0, specifier.startsWith('@') ? 2 : 1).join('/'), kind: 'package' };
  }
  const path = posix.normalize(posix.join(posix.dirname(from), specifier));
  return { target: path.replace(/\.js$/, '.ts'), kind: 'file' };
}
