// @ts-check
/**
 * Compiles TypeScript into the folder that is named on the command line: checks the types and writes their declarations,
 * bundles the program and the page for browsers, and builds the native kernels, all in parallel. The
 * addon is optional: its build prints its own messages, and its failure is not a failure of this script.
 */
import { spawn } from 'node:child_process';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { bundleProgram } from './program-bundle.mjs';

const root = process.cwd();
const [folder = ''] = process.argv.slice(2);

/**
 * @param {string[]} args of Node
 * @returns {Promise<boolean>} whether it ended with status 0
 */
function node(...args) {
  return new Promise((resolve) => {
    const child = spawn(process.execPath, args, { cwd: root, stdio: ['ignore', 2, 2] });
    child.once('error', () => resolve(false));
    child.once('close', (status) => resolve(status === 0));
  });
}

/** @returns {string[]} the sources for Node that tsconfig.build.json names */
function sources() {
  const { include } = JSON.parse(readFileSync(join(root, 'tsconfig.build.json'), 'utf8'));
  return include
    .filter((/** @type {string} */ name) => !name.startsWith('web/') && existsSync(join(root, name)))
    .flatMap((/** @type {string} */ name) =>
      readdirSync(join(root, name), { recursive: true, encoding: 'utf8' })
        .filter((path) => path.endsWith('.ts'))
        .map((path) => `${name}/${path.replaceAll('\\', '/')}`),
    );
}

/** Every module keeps its path, because tests and programs for developers import any of them. */
async function program() {
  const { dependencies } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'));
  const options = { entries: sources(), installed: Object.keys(dependencies), sourcemap: true };
  try {
    await bundleProgram(root, folder, options);
    return undefined;
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
}

const native = join(root, 'scripts', 'build-native.mjs');
const page = join(root, 'scripts', 'setup', 'page-bundle.mjs');
const compiler = join(root, 'node_modules', 'typescript', 'bin', 'tsc');
const [isTyped, problem, hasPage] = await Promise.all([
  node(compiler, '-p', 'tsconfig.build.json', '--outDir', folder),
  program(),
  existsSync(page) ? node(page, folder) : true,
  existsSync(native) && node(native),
]);
// The compiler says it better, when it is an error of the source.
if (isTyped && problem !== undefined) process.stderr.write(`${problem}\n`);
process.exitCode = isTyped && problem === undefined && hasPage ? 0 : 1;
