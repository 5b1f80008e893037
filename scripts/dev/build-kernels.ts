/**
 * Builds the files that are generated from shared/kernels/c and checked in: dispatch.h, version.h, table.ts and the two wasm
 * files. Run it with `npm run build:kernels` after each change of the C source.
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

/**
 * Builds all generated files from the C source in `folder` (shared/kernels/c). Keys are paths relative to shared/kernels.
 * Opcodes follow the sorted file names and, inside a file, the order of definition.
 */
export async function buildKernels(folder: string): Promise<Map<string, string | Uint8Array>> {
  const sources = readSources(folder);
  const files = Object.keys(sources)
    .filter((name) => name.endsWith('.c') && !NO_KERNELS.has(name))
    .sort();
  const kernels = files.flatMap((file) => parsePrototypes(file, sources[file] as string));
  const version = sourceVersion(sources);
  const dispatch = renderDispatch(files, kernels);
  const complete = { ...sources, [DISPATCH]: dispatch };
  return new Map<string, string | Uint8Array>([
    [`c/${DISPATCH}`, dispatch],
    [`c/${VERSION}`, renderVersion(version)],
    ['table.ts', renderTable(kernels, version)],
    ['wasm/relaxed.wasm', await compileWasm('relaxed', complete)],
    ['wasm/exact.wasm', await compileWasm('exact', complete)],
  ]);
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
  for (const [path, content] of await buildKernels(join(root, 'c'))) {
    writeFileSync(join(root, path), content);
    process.stderr.write(`build-kernels: ${path}, ${content.length} bytes\n`);
  }
}
