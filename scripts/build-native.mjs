// @ts-check
/**
 * Builds the native kernels with the machine's C compiler, from the same sources as the wasm files: for this processor's
 * instruction set, or for all of its architecture. Plain Node, run by setup into native/build, and at the first use of an
 * installed package into the folder that is named on the command line. Without a working compiler it writes the reason to
 * reason.txt in that folder, which the program prints, and succeeds: wasm is used.
 */
import { spawn, spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';

const ROOT = fileURLToPath(new URL('..', import.meta.url));

/** The numerics contract in flags: IEEE arithmetic as written, no contraction, nothing reassociated. */
const EXACT = ['-ffp-contract=off', '-fno-fast-math', '-fno-math-errno'];
const COMMON = [
  '-std=c17',
  '-O3',
  '-fPIC',
  '-fvisibility=hidden',
  '-fno-strict-aliasing',
  '-Wall',
  '-Wno-psabi',
];

/** What every native build is compiled with. */
export const COMPILER_FLAGS = [...COMMON, ...EXACT];

/** Flags of each instruction set, by Node's name of the architecture. The addon offers those that it contains (c/addon/isas.h). */
export const ISAS = /** @type {Record<string, Record<string, string[]>>} */ ({
  x64: {
    avx512: ['-mavx512f', '-mavx512dq', '-mavx512bw', '-mavx512vl', '-mavx2', '-mfma', '-mbmi2'],
    avx2: ['-mavx2', '-mfma', '-mbmi2'],
    plain: ['-DSIMD_PLAIN'],
  },
  arm64: { neon: [], plain: ['-DSIMD_PLAIN'] },
});

/**
 * Builds the addon, unless it exists for these sources and this compiler.
 * @param {string} [root] folder of package.json
 * @param {'best' | 'all'} [which] 'best': for this processor, which is enough for a run and takes a third of the time;
 *   'all': every instruction set of this architecture, for tests. An existing build of 'all' is kept for 'best'.
 * @param {string} [folder] where the addon is written
 * @returns {Promise<{file: string} | {reason: string}>}
 */
export async function buildNative(root = ROOT, which = 'best', folder = join(root, 'native', 'build')) {
  mkdirSync(folder, { recursive: true });
  const file = join(folder, `kernels-${process.platform}-${process.arch}.node`);
  const stamp = join(folder, 'stamp.txt');
  const failure = join(folder, 'reason.txt');
  const compiler = process.env.CC || 'cc';
  const key = fingerprint(root, compiler);
  const built = existsSync(stamp) ? readFileSync(stamp, 'utf8') : '';
  if (existsSync(failure) && built === key) return { reason: readFileSync(failure, 'utf8').trim() };
  if (existsSync(file) && (built === `${key} all` || built === `${key} ${which}`)) return { file };
  rmSync(stamp, { force: true });
  const reason = await compile(root, compiler, folder, file, which);
  rmSync(reason ? file : failure, { force: true });
  if (reason) writeFileSync(failure, `${reason}\n`);
  writeFileSync(stamp, reason ? key : `${key} ${which}`);
  return reason ? { reason } : { file };
}

/**
 * @param {string} root @param {string} compiler @param {string} folder @param {string} file @param {'best' | 'all'} which
 * @returns {Promise<string | undefined>} why the addon could not be built
 */
async function compile(root, compiler, folder, file, which) {
  const known = ISAS[process.arch];
  if (!known || process.platform === 'win32') {
    return `no native kernels for ${process.platform} on ${process.arch}`;
  }
  const headers = headersOf(root);
  if (!existsSync(headers)) return 'the package node-api-headers is missing';
  const source = join(root, 'shared', 'kernels', 'c');
  const work = mkdtempSync(join(folder, 'next-'));
  try {
    const best = await bestIsa(compiler, join(source, 'addon', 'best-isa.c'), join(work, 'best-isa'));
    if ('complaint' in best) return best.complaint;
    const isas = which === 'all' ? Object.keys(known) : [best.isa];
    // In parallel: each takes a core several seconds.
    const complaints = await Promise.all(
      isas.map((isa) => {
        const args = [
          ...COMPILER_FLAGS,
          ...(known[isa] ?? []),
          `-DRUN=run_${isa}`,
          '-c',
          join(source, 'entry.c'),
        ];
        return run(compiler, [...args, '-o', join(work, `${isa}.o`)]);
      }),
    );
    const failed = complaints.find((complaint) => complaint !== undefined);
    if (failed) return failed;
    const link =
      process.platform === 'darwin' ? ['-bundle', '-undefined', 'dynamic_lookup'] : ['-shared', '-Wl,-z,now'];
    const objects = isas.map((isa) => join(work, `${isa}.o`));
    const next = join(work, 'kernels.node');
    const own = ['addon.c', 'shared-memory.c'].map((name) => join(source, 'addon', name));
    const parts = [...own, ...objects, '-o', next];
    const complaint = await run(compiler, [...COMMON, ...link, `-I${headers}`, ...parts]);
    if (complaint) return complaint;
    // Renaming does not change the file that running processes have loaded.
    renameSync(next, file);
    return undefined;
  } finally {
    rmSync(work, { recursive: true, force: true });
  }
}

/**
 * The best of ISAS that this processor supports, found by running a program.
 * @param {string} compiler @param {string} source @param {string} program
 * @returns {Promise<{isa: string} | {complaint: string}>}
 */
async function bestIsa(compiler, source, program) {
  const complaint = await run(compiler, [...COMMON, source, '-o', program]);
  if (complaint) return { complaint };
  const isa = spawnSync(program, { encoding: 'utf8' }).stdout?.trim();
  return isa ? { isa } : { complaint: `programs compiled by ${compiler} do not run on this machine` };
}

/** @param {string} root folder of package.json */
function headersOf(root) {
  try {
    // Not always in the package's own node_modules: installers place packages as they like.
    return join(
      dirname(createRequire(join(root, 'package.json')).resolve('node-api-headers/package.json')),
      'include',
    );
  } catch {
    return join(root, 'node_modules', 'node-api-headers', 'include');
  }
}

/**
 * @param {string} compiler @param {string[]} args
 * @returns {Promise<string | undefined>} the error in one line, if any
 */
function run(compiler, args) {
  return new Promise((resolve) => {
    let messages = '';
    const child = spawn(compiler, args, { stdio: ['ignore', 'ignore', 'pipe'] });
    child.stderr.setEncoding('utf8').on('data', (text) => {
      messages += text;
    });
    child.once('error', () => resolve(`there is no C compiler (${compiler})`));
    child.once('close', (status) => {
      const lines = messages.split('\n');
      const line = lines.find((text) => /error/i.test(text)) ?? lines[0];
      resolve(status === 0 ? undefined : `${compiler} failed: ${line?.trim()}`);
    });
  });
}

/**
 * Hash of everything that decides the result: sources, this script, compiler, architecture.
 * @param {string} root @param {string} compiler
 */
function fingerprint(root, compiler) {
  const hash = createHash('sha256');
  hash.update(`${process.platform} ${process.arch} ${compiler}\n`);
  hash.update(spawnSync(compiler, ['--version'], { encoding: 'utf8' }).stdout ?? 'none');
  hash.update(`headers ${existsSync(headersOf(root))}\n`);
  hash.update(readFileSync(fileURLToPath(import.meta.url)));
  const source = join(root, 'shared', 'kernels', 'c');
  const files = readdirSync(source, { recursive: true }).map(String);
  for (const name of files.filter((path) => /\.[ch]$/.test(path)).sort()) {
    hash.update(`${name}\n`).update(readFileSync(join(source, name)));
  }
  return hash.digest('hex');
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? '').href) {
  const [folder] = process.argv.slice(2);
  const built = await buildNative(ROOT, 'best', folder);
  if ('reason' in built)
    process.stderr.write(`setup: native kernels not built, using wasm (${built.reason})\n`);
}
