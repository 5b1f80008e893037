/*
 * Hooks of Node's module loader for users' recipes. They run on the main thread or on a thread of their own, as the version of
 * Node has it, and therefore answer at once or later, as the next hook does. Types are removed here and not by Node, because Node 20
 * cannot, and later versions accept less of the language (no enums, for example). JavaScript that is not CommonJS is loaded as an ES
 * module, whatever the package.json above it says: `npm init` writes "type": "commonjs".
 */
import { existsSync, readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { compileFunction } from 'node:vm';
import { transform } from 'sucrase';

interface Resolved {
  readonly url: string;
  readonly format?: string | null | undefined;
  readonly shortCircuit?: boolean;
}
interface Context {
  readonly parentURL?: string | undefined;
}
type Answer<T> = T | Promise<T>;

const own = createRequire(import.meta.url);

/**
 * Resolves a module. A file outside of any package that has Unisum installed, and outside of its checkout, imports the Unisum
 * that runs it. TypeScript files import each other as .js files or without an ending.
 */
export function resolve(
  specifier: string,
  context: Context,
  next: (specifier: string, context: object) => Answer<Resolved>,
): Answer<Resolved> {
  const orOwn = (error: unknown): Resolved => {
    const source = sourceOf(specifier, context.parentURL);
    if (source !== undefined) return { url: source, format: formatOf(source), shortCircuit: true };
    if (specifier !== 'unisum' && !specifier.startsWith('unisum/')) throw error;
    return { url: pathToFileURL(own.resolve(specifier)).href, format: 'module', shortCircuit: true };
  };
  const marked = (result: Resolved): Resolved =>
    isTypeScript(result.url) ? { ...result, format: formatOf(result.url) } : result;
  try {
    const answer = next(specifier, context);
    return answer instanceof Promise ? answer.then(marked, orOwn) : marked(answer);
  } catch (error) {
    return orOwn(error);
  }
}

/**
 * Loads a module. Without "type": "module" in the package.json above a .ts file, Node takes the file for CommonJS, from which
 * not every version can import this package; so it is always loaded as an ES module. Lines keep their numbers.
 */
export function load(
  url: string,
  context: Pick<Resolved, 'format'>,
  next: (url: string, context: object) => Answer<object>,
): Answer<object> {
  if (isMistakenForCommonJs(url, context.format))
    return { format: 'module', source: readFileSync(fileURLToPath(url), 'utf8'), shortCircuit: true };
  if (!isTypeScript(url)) return next(url, context);
  const path = fileURLToPath(url);
  const format = formatOf(url);
  const { code } = transform(readFileSync(path, 'utf8'), {
    filePath: path,
    transforms: format === 'commonjs' ? ['typescript', 'imports'] : ['typescript'],
    disableESTransforms: true,
  });
  return { format, source: code, shortCircuit: true };
}

/** The TypeScript file that a relative import means, if there is one. */
function sourceOf(specifier: string, parent: string | undefined): string | undefined {
  if (parent === undefined || !isTypeScript(parent) || !/^\.{0,2}\//.test(specifier)) return undefined;
  const asTypeScript = specifier.replace(/\.([cm]?)js$/, '.$1ts');
  return [asTypeScript, `${specifier}.ts`, `${specifier}/index.ts`]
    .map((name) => new URL(name, parent))
    .find((url) => /ts$/.test(url.pathname) && existsSync(url))?.href;
}

function formatOf(url: string): 'module' | 'commonjs' {
  return url.endsWith('.cts') ? 'commonjs' : 'module';
}

function isTypeScript(url: string): boolean {
  return /^file:[^?#]*\.[cm]?ts([?#]|$)/.test(url) && !url.includes('/node_modules/');
}

/** Whether a user's .js file, which is no module by its package.json, has syntax that CommonJS does not have. */
function isMistakenForCommonJs(url: string, format: Resolved['format']): boolean {
  if (format === 'module' || !/^file:[^?#]*\.js([?#]|$)/.test(url) || url.includes('/node_modules/'))
    return false;
  try {
    // Compiled as Node compiles CommonJS, and not run.
    const code = readFileSync(fileURLToPath(url), 'utf8').replace(/^#!.*/, '');
    compileFunction(code, ['exports', 'require', 'module', '__filename', '__dirname']);
    return false;
  } catch (error) {
    return error instanceof SyntaxError;
  }
}
