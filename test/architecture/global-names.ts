import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseSync } from 'vite';
import { type Finding, findingAt, isTypeScript, type Source, type SyntaxNode, walk } from './source.js';

/**
 * Names that TypeScript's library (ECMAScript, the DOM, web workers) and Node declare globally, read from the
 * declaration files that the compiler itself uses.
 */
export function globalNames(): ReadonlySet<string> {
  const names = new Set<string>();
  for (const file of [...libraryFiles(), ...nodeFiles()]) {
    const { program, module } = parseSync(file, readFileSync(file, 'utf8'), { lang: 'dts' });
    const body = program.body as unknown as SyntaxNode[];
    // A file without imports and exports declares its names globally; any other does so in `declare global` only.
    if (!module.hasModuleSyntax) for (const node of body) addDeclared(node, names);
    for (const node of [...body, ...body.flatMap(bodyOf)]) {
      if (node.kind === 'global') for (const inner of bodyOf(node)) addDeclared(inner, names);
    }
  }
  return names;
}

/** Types that are declared under a name that a reader knows as something else, such as a `Buffer` of our own. */
export function shadowingTypes(sources: readonly Source[], names: ReadonlySet<string>): Finding[] {
  const findings: Finding[] = [];
  for (const source of sources.filter(isTypeScript)) {
    walk(source, (node) => {
      const name = typeNameOf(node);
      if (name === undefined || !names.has(name)) return;
      findings.push(findingAt(source, node, `${name} shadows a global of TypeScript, the DOM or Node`));
    });
  }
  return findings;
}

/** Name of the type that `node` declares, exports or takes as a parameter. */
function typeNameOf(node: SyntaxNode): string | undefined {
  const nameOf = (part: unknown): string | undefined => (part as { name?: string } | null)?.name;
  switch (node.type) {
    case 'TSInterfaceDeclaration':
    case 'TSTypeAliasDeclaration':
    case 'TSEnumDeclaration':
    case 'ClassDeclaration':
      return nameOf(node.id);
    case 'TSTypeParameter':
      return nameOf(node.name);
    // `export { Segment as Buffer }`: values have lower-case names.
    case 'ExportSpecifier': {
      const name = nameOf(node.exported);
      return name !== nameOf(node.local) && /^[A-Z]/.test(name ?? '') ? name : undefined;
    }
    default:
      return undefined;
  }
}

/** lib.*.d.ts: they lie beside the compiler, in the package for this machine's platform. */
function libraryFiles(): string[] {
  const folder = join(packageFolder('typescript'), '../@typescript');
  const files = readdirSync(folder).flatMap((name) => declarationFiles(join(folder, name, 'lib')));
  return files.filter((file) => /[\\/]lib\.[^\\/]*$/.test(file));
}

function nodeFiles(): string[] {
  return declarationFiles(packageFolder('@types/node'));
}

function packageFolder(name: string): string {
  return dirname(fileURLToPath(import.meta.resolve(`${name}/package.json`)));
}

function declarationFiles(folder: string): string[] {
  return readdirSync(folder, { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith('.d.ts'))
    .map((name) => join(folder, name));
}

/** Statements inside of `declare module` and `declare global`. */
function bodyOf(node: SyntaxNode): SyntaxNode[] {
  const { body } = (node.body ?? {}) as { body?: unknown };
  return node.type === 'TSModuleDeclaration' && Array.isArray(body) ? (body as SyntaxNode[]) : [];
}

function addDeclared(node: SyntaxNode, names: Set<string>): void {
  const declaration = (node.declaration ?? node) as SyntaxNode;
  const declared = (declaration.declarations ?? [declaration]) as { id?: { type: string; name?: string } }[];
  for (const { id } of declared) if (id?.type === 'Identifier' && id.name) names.add(id.name);
}
