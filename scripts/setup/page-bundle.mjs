// @ts-check
/**
 * Bundles what browsers load into the folder web/ of the folder that is named on the command line: `unisum/browser`, for the
 * pages of others, and the page of a run, compressed
 * ahead, with a table of the paths that a coordinator serves.
 */
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { basename, dirname, extname, join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { build } from 'esbuild';
import { BROWSER_STAND_INS } from './browser-stand-ins.mjs';

/** Modules that browsers load: the page, and its workers. */
const ENTRIES = [
  'page/main.ts',
  'page/joining.ts',
  'page/qr-code.ts',
  'page/style.css',
  'view/main.ts',
  'worker/receipt-worker.ts',
  'worker/link-worker.ts',
  'worker/compute-worker.ts',
  'worker/compute-thread.ts',
  'worker/sleeper.ts',
];
/** Trained models in the pages of others. */
const LIBRARY = 'web/library/unisum-browser.ts';
/** Other files, by the path that they are served at. */
const COPIES = {
  'page/index.html': 'web/page/index.html',
  'page/icon.svg': 'web/page/icon.svg',
  'view/index.html': 'web/view/index.html',
  'kernels/relaxed.wasm': 'shared/kernels/wasm/relaxed.wasm',
  'kernels/exact.wasm': 'shared/kernels/wasm/exact.wasm',
};
/** Paths of the pages themselves: of a run, and of travelling through one.
 * @type {Record<string, string[]>} */
const PAGE_PATHS = { 'page/index.html': ['/', '/watch', '/operate'], 'view/index.html': ['/view'] };
/** @type {Record<string, string>} */
const TYPES = {
  '.html': 'text/html; charset=utf-8',
  '.js': 'text/javascript; charset=utf-8',
  '.css': 'text/css; charset=utf-8',
  '.svg': 'image/svg+xml',
  '.wasm': 'application/wasm',
};

const root = process.cwd();
const folder = join(process.argv[2] ?? 'dist', 'web');

/** @type {Record<string, { file: string, type: string }>} */
const table = {};

/** @param {string} file relative to the folder @param {Uint8Array} bytes */
function write(file, bytes) {
  const path = join(folder, file);
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(`${path}.gz`, gzipSync(bytes, { level: 9 }));
  const entry = { file, type: TYPES[extname(file)] ?? '' };
  if (file.endsWith('.html')) for (const at of PAGE_PATHS[file] ?? []) table[at] = entry;
  else table[`/${file}`] = entry;
}

/** @type {import('esbuild').Plugin} */
const standIns = {
  name: 'stand-ins',
  setup({ onResolve }) {
    for (const [file, other] of Object.entries(BROWSER_STAND_INS)) {
      const module = join(root, file).replace(/ts$/, 'js');
      onResolve({ filter: new RegExp(`/${basename(module)}$`) }, ({ resolveDir, path }) =>
        join(resolveDir, path) === module ? { path: join(root, other) } : undefined,
      );
    }
  },
};

/** @type {import('esbuild').BuildOptions} */
const how = {
  absWorkingDir: root,
  bundle: true,
  format: 'esm',
  target: 'es2022',
  minify: true,
  logLevel: 'warning',
  plugins: [standIns],
};

const { outputFiles } = await build({
  ...how,
  entryPoints: ENTRIES.map((entry) => join('web', entry)),
  outbase: 'web',
  outdir: folder,
  write: false,
});
for (const { path, contents } of outputFiles)
  write(path.slice(folder.length + 1).replaceAll('\\', '/'), contents);
for (const [file, source] of Object.entries(COPIES)) write(file, readFileSync(join(root, source)));
writeFileSync(join(folder, 'table.json'), JSON.stringify(table));

// It lies in the package as it is: whoever imports it compresses what they serve.
await build({ ...how, entryPoints: [LIBRARY], outfile: join(folder, 'library', 'unisum-browser.js') });
