// @ts-check
/**
 * Compiles TypeScript into the folder that is named on the command line, bundles the page for
 * browsers, and builds the native kernels, all in parallel. The
 * addon is optional: its build prints its own messages, and its failure is not a failure of this script.
 */
import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join } from 'node:path';

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

const native = join(root, 'scripts', 'build-native.mjs');
const bundle = join(root, 'scripts', 'setup', 'bundle.mjs');
const compiler = join(root, 'node_modules', 'typescript', 'bin', 'tsc');
const [compiled, bundled] = await Promise.all([
  node(compiler, '-p', 'tsconfig.build.json', '--outDir', folder),
  existsSync(bundle) ? node(bundle, folder) : true,
  existsSync(native) && node(native),
]);
process.exitCode = compiled && bundled ? 0 : 1;
