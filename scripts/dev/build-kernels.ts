/**
 * Builds the files that are generated from shared/kernels/c and checked in: dispatch.h, version.h, table.ts, the two wasm
 * files and builds.json. Run it with `npm run build:kernels` after each change of the C source.
 */
import { createHash } from 'node:crypto';
import { type Dirent, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { parsePrototypes, renderDispatch, renderTable, renderVersion } from './kernels/prototypes.js';
import { compileWasm } from './kernels/wasm.js';

type Sources = { [name: string]: Sources | string };

/** C files that define no kernels. */
const NO_KERNELS = new Set(['entry.c']);
/** Generated files. */
const DISPATCH = 'dispatch.h';
const VERSION = 'version.h';
/** Says which sources the wasm files were compiled from. */
export const BUILDS = 'wasm/builds.json';

/** The sources of a build: those that people write, and those that are generated from them. */
export interface KernelSources {
  /** Hash of what people write. */
  readonly version: string;
  /** Generated text files; keys are paths relative to shared/kernels. */
  readonly generated: ReadonlyMap<string, string>;
  readonly complete: Sources;
}

/**
 * Generates the text files from the C source in `folder` (shared/kernels/c). Opcodes follow the sorted file names and,
 * inside a file, the order of definition.
 */
export function kernelSources(folder: string): KernelSources {
  const sources = readSources(folder);
  const files = Object.keys(sources)
    .filter((name) => name.endsWith('.c') && !NO_KERNELS.has(name))
    .sort();
  const kernels = files.flatMap((file) => parsePrototypes(file, sources[file] as string));
  const version = sourceVersion(sources);
  const dispatch = renderDispatch(files, kernels);
  const generated = new Map([
    [`c/${DISPATCH}`, dispatch],
    [`c/${VERSION}`, renderVersion(version)],
    ['table.ts', renderTable(kernels, version)],
  ]);
  return { version, generated, complete: { ...sources, [DISPATCH]: dispatch } };
}

/** Compiles the wasm files. Keys are paths relative to shared/kernels. It takes about a minute. */
export async function compileKernels({
  version,
  complete,
}: KernelSources): Promise<Map<string, string | Uint8Array>> {
  const builds = new Map([
    ['wasm/relaxed.wasm', await compileWasm('relaxed', complete)],
    ['wasm/exact.wasm', await compileWasm('exact', complete)],
  ]);
  return new Map<string, string | Uint8Array>([...builds, [BUILDS, describeBuilds(version, builds)]]);
}

/** The file that says which sources the wasm files were compiled from. */
export function describeBuilds(version: string, builds: ReadonlyMap<string, Uint8Array>): string {
  const sha256 = [...builds].map(([path, bytes]) => [path, createHash('sha256').update(bytes).digest('hex')]);
  return `${JSON.stringify({ sourceVersion: version, sha256: Object.fromEntries(sha256) }, null, 2)}\n`;
}

/** Hash of the names and contents of the files; the line endings of the checkout do not matter. */
function sourceVersion(sources: Sources): string {
  return createHash('sha256').update(JSON.stringify(sources)).digest('hex').slice(0, 16);
}

/** The C files of a folder and its subfolders, sorted by name. */
function readSources(folder: string): Sources {
  const sources: Sources = {};
  for (const entry of readdirSync(folder, { withFileTypes: true }).sort(byName)) {
    const path = join(folder, entry.name);
    if (entry.isDirectory()) sources[entry.name] = readSources(path);
    else if (/\.[ch]$/.test(entry.name) && entry.name !== DISPATCH && entry.name !== VERSION)
      sources[entry.name] = readFileSync(path, 'utf8').replaceAll('\r\n', '\n');
  }
  return sources;
}

const byName = (a: Dirent, b: Dirent) => (a.name < b.name ? -1 : 1);

if (import.meta.url === pathToFileURL(process.argv[1] ?? '').href) {
  const root = join(process.cwd(), 'shared', 'kernels');
  mkdirSync(join(root, 'wasm'), { recursive: true });
  const sources = kernelSources(join(root, 'c'));
  for (const [path, content] of [...sources.generated, ...(await compileKernels(sources))]) {
    writeFileSync(join(root, path), content);
    process.stderr.write(`build-kernels: ${path}, ${content.length} bytes\n`);
  }
}
