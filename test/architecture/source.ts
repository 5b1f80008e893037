import { readdirSync, readFileSync } from 'node:fs';
import { extname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseSync } from 'vite';

/** A file of the project. */
export interface Source {
  /** Relative to the folder of package.json, with forward slashes. */
  readonly path: string;
  readonly text: string;
}

/** A violation of a rule: "path:line: what is wrong and what to do". */
export type Finding = string;

/** A node of the syntax tree (ESTree with TypeScript's additions). */
export interface SyntaxNode {
  readonly type: string;
  readonly start: number;
  readonly [field: string]: unknown;
}

/** The folder of package.json. */
const ROOT = fileURLToPath(new URL('../..', import.meta.url));

/** Folders that git ignores, and its own. */
const IGNORED = new Set(['.git', 'node_modules', 'dist', 'dist.next', 'build', 'runs', '.cache']);
/** Extensions of text files. */
const TEXT = new Set(
  '.ts .mjs .js .c .h .py .sh .md .json .html .css .svg .yml .yaml .txt .run .npmrc .gitignore'.split(' '),
);

/** Every text file of the checkout. It is read from the folder, not from git, so an exported copy can be tested too. */
export function readSources(root: string = ROOT): Source[] {
  const found: Source[] = [];
  const visit = (folder: string): void => {
    for (const entry of readdirSync(join(root, folder), { withFileTypes: true })) {
      const path = folder === '' ? entry.name : `${folder}/${entry.name}`;
      if (entry.isDirectory() && !IGNORED.has(entry.name)) visit(path);
      else if (entry.isFile() && isText(entry.name))
        found.push({ path, text: readFileSync(join(root, path), 'utf8') });
    }
  };
  visit('');
  return found;
}

function isText(name: string): boolean {
  const extension = extname(name);
  return extension === '' || TEXT.has(extension);
}

/** Code of the product and its tests, in TypeScript. */
export function isTypeScript({ path }: Source): boolean {
  return path.endsWith('.ts') && !path.endsWith('.d.ts');
}

/** Plain modules, which run before anything is built. */
export function isScript({ path }: Source): boolean {
  return path.endsWith('.mjs');
}

/** Line of the character at `offset`, from 1. */
function lineAt(text: string, offset: number): number {
  return text.slice(0, offset).split('\n').length;
}

/** A finding about the place of `node` in `source`. */
export function findingAt(source: Source, node: { start: number }, what: string): Finding {
  return `${source.path}:${lineAt(source.text, node.start)}: ${what}`;
}

const parsed = new WeakMap<Source, ReturnType<typeof parseSync>>();

/** The syntax tree and the table of imports and exports of a module. */
export function parse(source: Source): ReturnType<typeof parseSync> {
  let result = parsed.get(source);
  if (!result) {
    result = parseSync(source.path, source.text, { sourceType: 'module' });
    if (result.errors.length > 0) throw new Error(`${source.path}: ${result.errors[0]!.message}`);
    parsed.set(source, result);
  }
  return result;
}

/** Calls `visit` for every node of the module, outer ones first. */
export function walk(source: Source, visit: (node: SyntaxNode) => void): void {
  const enter = (value: unknown): void => {
    if (Array.isArray(value)) {
      for (const item of value) enter(item);
    } else if (typeof value === 'object' && value !== null) {
      if (typeof (value as SyntaxNode).type === 'string') visit(value as SyntaxNode);
      for (const field of Object.values(value)) enter(field);
    }
  };
  enter(parse(source).program);
}
