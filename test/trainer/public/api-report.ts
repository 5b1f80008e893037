import { readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { parseSync } from 'vite';

/** A declaration file: its exported declarations by name, and where the names that it passes on come from. */
interface Declarations {
  readonly own: ReadonlyMap<string, readonly string[]>;
  readonly from: ReadonlyMap<string, { readonly path: string; readonly name: string }>;
}

/**
 * The public names of a package with their declarations as the compiler wrote them, without comments and private parts.
 * @param entry the declaration file of the public face
 */
export function apiReport(entry: string): string {
  const face = read(entry);
  const lines: string[] = [];
  for (const [name, text] of [...face.own].sort(byName)) lines.push(`## ${name}`, ...text, '');
  const passedOn = [...face.from].filter(([, { path }]) => path.startsWith('/'));
  for (const [name, { path, name: original }] of passedOn.sort(byName)) {
    const found = read(path).own.get(original);
    if (found === undefined) throw new Error(`${path} declares no ${original}`);
    lines.push(`## ${name}`, ...found, '');
  }
  return lines.join('\n');
}

function byName([a]: readonly [string, unknown], [b]: readonly [string, unknown]): number {
  return a < b ? -1 : 1;
}

function read(path: string): Declarations {
  const code = readFileSync(path, 'utf8');
  const { program } = parseSync(path, code);
  const own = new Map<string, string[]>();
  const from = new Map<string, { path: string; name: string }>();
  const resolve = (specifier: string): string =>
    specifier.startsWith('.') ? join(dirname(path), specifier.replace(/\.js$/, '.d.ts')) : specifier;
  for (const node of program.body) {
    if (node.type === 'ImportDeclaration') {
      for (const one of node.specifiers)
        if (one.type === 'ImportSpecifier' && 'name' in one.imported)
          from.set(one.local.name, { path: resolve(node.source.value), name: one.imported.name });
    }
    if (node.type !== 'ExportNamedDeclaration') continue;
    if (node.source) {
      for (const { local, exported } of node.specifiers)
        if ('name' in local && 'name' in exported)
          from.set(exported.name, { path: resolve(node.source.value), name: local.name });
      continue;
    }
    const { declaration } = node;
    if (!declaration) continue;
    const id =
      'id' in declaration
        ? declaration.id
        : 'declarations' in declaration
          ? declaration.declarations[0]?.id
          : undefined;
    if (!id || !('name' in id)) continue;
    const text = plain(code.slice(node.start, node.end));
    own.set(id.name, [...(own.get(id.name) ?? []), ...text]);
  }
  return { own, from };
}

/** The lines of a declaration, without comments, private members and constructors. */
function plain(code: string): string[] {
  const withoutComments = code.replace(/\/\*[\s\S]*?\*\//g, '');
  return withoutComments
    .split('\n')
    .filter((line) => line.trim() !== '' && !/^\s*(private|constructor\()/.test(line))
    .map((line) => line.trimEnd());
}
