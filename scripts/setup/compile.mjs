// @ts-check
/**
 * Compiles TypeScript into the folder that is named on the command line, and the native kernels beside it: at once,
 * since each keeps one core busy. The addon only makes things faster: its build reports for itself, and its failure is
 * not ours.
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
const compiler = join(root, 'node_modules', 'typescript', 'bin', 'tsc');
const [compiled] = await Promise.all([
  node(compiler, '-p', 'tsconfig.build.json', '--outDir', folder),
  existsSync(native) && node(native),
]);
process.exitCode = compiled ? 0 : 1;
