/*
 * The builds of the kernels that Node cannot load itself, for `npm run proof`: with sanitizers, and for arm64.
 */
import { execFile, spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { COMPILER_FLAGS, ISAS } from '../../scripts/build-native.mjs';
import { nativeIsas } from '../../shared/kernels/native-kernels.js';

/**
 * Which additional builds are tested: `npm run proof` tests all; CI, with 'sample', one under sanitizers and one for arm64, as
 * each takes up to two minutes to compile.
 */
const PROOF = process.env.UNISUM_PROOF;

const FOLDER = join('build', 'proof');
const SOURCES = join('shared', 'kernels', 'c');
const DRIVER = join('test', 'proof', 'driver.c');

/** A program that consists of the kernels and driver.c. */
export interface Build {
  readonly name: string;
  readonly compiler: string;
  readonly flags: readonly string[];
  /** The emulator that runs it on another processor. */
  readonly emulator?: string;
  /** Why it cannot be built or started on this machine. */
  readonly missing?: string;
}

/** Programs from Debian's gcc-aarch64-linux-gnu and qemu-user-static. */
export const ARM64 = { compiler: 'aarch64-linux-gnu-gcc', emulator: 'qemu-aarch64-static' };

/** Debug information with line numbers for reports, but without variables, which would take minutes to compile. */
const SANITIZERS = ['-O1', '-g1', '-fsanitize=address,undefined', '-fno-sanitize-recover=all'];

/** All additional builds, available or not; none without `npm run proof`. */
export const BUILDS: readonly Build[] = process.platform === 'linux' ? chosen(PROOF) : [];

/** The builds that are available on this machine. */
export const PROOF_BUILDS: readonly Build[] = BUILDS.filter(({ missing }) => !missing);

function chosen(proof: string | undefined): Build[] {
  if (!proof) return [];
  if (proof !== 'sample') return [...sanitized(), ...arm64()];
  // The widest instruction set that this machine has.
  const widest = sanitized().find(({ missing }) => !missing);
  return [...(widest === undefined ? [] : [widest]), ...arm64().slice(0, 1)];
}

function sanitized(): Build[] {
  const available = nativeIsas();
  return Object.entries(ISAS[process.arch] ?? {}).map(([isa, flags]) => ({
    name: `sanitized ${isa}`,
    compiler: process.env.CC || 'cc',
    flags: [...flags, ...SANITIZERS],
    ...(available.includes(isa) ? {} : { missing: `no native kernels for ${isa} on this machine` }),
  }));
}

function arm64(): Build[] {
  const missing = whatIsMissing(ARM64);
  return Object.entries(ISAS.arm64 ?? {}).map(([isa, flags]) => ({
    name: `arm64 ${isa}`,
    ...ARM64,
    flags: [...flags, '-static'],
    ...(missing ? { missing } : {}),
  }));
}

/** A message with the programs that are not installed; undefined when all are. */
export function whatIsMissing(programs: Readonly<Record<string, string>>): string | undefined {
  const absent = Object.values(programs).filter((program) => {
    return spawnSync(program, ['--version'], { stdio: 'ignore' }).status !== 0;
  });
  return absent.length === 0 ? undefined : `${absent.join(' and ')} not found`;
}

/** Program and arguments that start a build. */
export function commandOf(build: Build): string[] {
  return [...(build.emulator ? [build.emulator] : []), fileOf(build)];
}

const fileOf = ({ name }: Build): string => join(FOLDER, name.replace(' ', '-'));

/**
 * Compiles a build unless it is up to date.
 * @throws Error with the compiler's messages
 */
export async function make(build: Build): Promise<void> {
  const [file, stamp] = [fileOf(build), `${fileOf(build)}.stamp`];
  const args = [...COMPILER_FLAGS, ...build.flags, '-DRUN=run_kernels', DRIVER, join(SOURCES, 'entry.c')];
  const key = fingerprint([build.compiler, ...args]);
  if (existsSync(file) && existsSync(stamp) && readFileSync(stamp, 'utf8') === key) return;
  mkdirSync(FOLDER, { recursive: true });
  try {
    await promisify(execFile)(build.compiler, [...args, '-o', file]);
  } catch (error) {
    throw new Error(`${build.name} does not compile:\n${(error as { stderr?: string }).stderr}`);
  }
  writeFileSync(stamp, key);
}

function fingerprint(command: readonly string[]): string {
  const names = readdirSync(SOURCES, { recursive: true }).map((name) => join(SOURCES, String(name)));
  const hash = createHash('sha256').update(command.join('\n'));
  for (const path of [...names.filter((name) => /\.[ch]$/.test(name)).sort(), DRIVER]) {
    hash.update(path).update(readFileSync(path));
  }
  return hash.digest('hex');
}
