import { existsSync, readFileSync } from 'node:fs';
import { join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';

/** The folder of package.json: the checkout's or the installed package's. */
const ROOT = packageRoot();

/** The absolute path of a file of the package. @param file its path in the package, such as package.json */
export function packageFile(file: string): string {
  return join(ROOT, file);
}

/** The version of the program. */
export function packageVersion(): string {
  return (JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8')) as { version: string }).version;
}

/**
 * The path of a document that comes with the program, as a user can open it from the current folder.
 * @param document its path in the package, such as docs/recipes.md
 */
export function documentPath(document: string): string {
  const path = join(ROOT, document);
  const fromHere = relative('', path);
  return fromHere.startsWith('..') ? path : fromHere;
}

/**
 * A command of this program as a user types it: in a checkout through npm, of an installed package through npx.
 * @param args such as "worker 'ws://...'"
 */
export function commandLine(args: string): string {
  const isCheckout = existsSync(join(ROOT, 'scripts', 'run.mjs'));
  if (!isCheckout) return `npx unisum ${args}`;
  return args.startsWith('train ') ? `npm start -- ${args.slice(6)}` : `npm run -s unisum -- ${args}`;
}

function packageRoot(): string {
  let folder = new URL('.', import.meta.url);
  while (!existsSync(new URL('package.json', folder)) && folder.pathname !== '/')
    folder = new URL('..', folder);
  return fileURLToPath(folder);
}
