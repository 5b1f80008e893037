// @ts-check
/**
 * Bundles the program for Node: a process loads a few files in place of some six hundred.
 *
 * An entry keeps its path and its exports. When its code is in a bundled file, a few lines at its path hand on the exports from
 * there. So a module exists once in a process, whoever imports it: the program, a user's recipe or a test.
 */
import { dirname, join, relative } from 'node:path';
import { rolldown } from 'rolldown';

/** The program's first module. It stays outside of the bundled files: they cannot import a module that waits for them. */
export const PROGRAM = 'scripts/unisum.ts';
/** Modules that are started in an isolate of their own. Each becomes one file with all that it needs. */
const THREADS = ['shared/engine/threads/thread.ts', 'scripts/bench/timed-thread.ts'];
/** Modules that are started by their path, besides those that package.json exports. */
export const STARTED = [
  PROGRAM,
  ...THREADS,
  'scripts/commands/recipe-hooks.ts',
  'scripts/bench/joining-coordinator.ts',
  'scripts/bench/loopback-worker.ts',
];
/** What nearly every process needs that trains, works, or uses the library. */
const CORE = ['trainer/public/unisum.ts', 'trainer/worker-run.ts', 'scripts/commands/train-run.ts'];
/** Packages that are used when they are there, and those of programs for developers. */
const OPTIONAL = ['msgpackr-extract', 'bufferutil', 'utf-8-validate', 'h5wasm'];
const DEVELOPMENT = ['puppeteer-core', '@yowasp/clang'];
/** Stands in place of `import.meta.url` until it is known which file a module comes into. */
const PLACE = 'import.meta.placeOf';
const PLACES = /import\.meta\.placeOf\("([^"]+)"\)/g;

/**
 * @param {string} root folder of package.json
 * @param {string} to the folder that is or becomes dist/
 * @param {object} options
 * @param {readonly string[]} options.entries modules that keep their path, such as "shared/errors.ts"
 * @param {readonly string[]} options.installed packages that stay packages
 * @param {boolean} options.sourcemap
 * @returns {Promise<string[]>} paths of the modules that were taken in
 * @throws {Error} when a source cannot be parsed or an import cannot be resolved
 */
export async function bundleProgram(root, to, { entries, installed, sourcemap }) {
  const kept = [...installed, ...OPTIONAL, ...DEVELOPMENT];
  const bundle = (/** @type {readonly string[]} */ inputs, /** @type {boolean} */ isAlone) =>
    writeBundle({ root, to, inputs, kept, sourcemap, isAlone });
  const threads = entries.filter((path) => THREADS.includes(path));
  const others = entries.filter((path) => !THREADS.includes(path));
  const taken = await Promise.all([bundle(others, false), ...threads.map((path) => bundle([path], true))]);
  return taken.flat();
}

/**
 * @param {object} options
 * @param {string} options.root
 * @param {string} options.to
 * @param {readonly string[]} options.inputs
 * @param {readonly string[]} options.kept
 * @param {boolean} options.sourcemap
 * @param {boolean} options.isAlone whether everything becomes one file
 * @returns {Promise<string[]>}
 */
async function writeBundle({ root, to, inputs, kept, sourcemap, isAlone }) {
  const { start, core, plugin: grouping } = bundledFiles(root);
  const build = await rolldown({
    input: Object.fromEntries(inputs.map((path) => [path.replace(/\.ts$/, ''), join(root, path)])),
    platform: 'node',
    // Sources import each other by the names of what they are compiled to. Of packages, the CommonJS build comes last.
    resolve: { extensionAlias: { '.js': ['.ts', '.js'] }, mainFields: ['module', 'main'] },
    external: (id) => kept.some((name) => id === name || id.startsWith(`${name}/`)),
    plugins: [grouping, placesKept(root)],
  });
  const { output } = await build.write({
    ...{ dir: to, format: 'esm', entryFileNames: '[name].js', chunkFileNames: 'bundle/[name].js' },
    ...{ comments: false, sourcemap, sourcemapExcludeSources: true },
    codeSplitting: !isAlone && {
      groups: [
        { name: 'start', priority: 2, test: (id) => start.has(id) },
        { name: 'core', priority: 1, test: (id) => core.has(id) },
      ],
    },
  });
  await build.close();
  return output.flatMap((file) => (file.type === 'chunk' ? Object.keys(file.modules) : []));
}

/**
 * The modules of the two bundled files. What the program loads before it knows the command is apart from the core, so that
 * `--help` loads nothing else.
 * @param {string} root
 * @returns {{ start: Set<string>, core: Set<string>, plugin: import('rolldown').Plugin }} sets that the plugin fills
 */
function bundledFiles(root) {
  /** @type {Set<string>} */
  const start = new Set();
  /** @type {Set<string>} */
  const core = new Set();
  /** @type {import('rolldown').Plugin} */
  const plugin = {
    name: 'bundled-files',
    buildEnd() {
      const importsOf = (/** @type {string} */ id) => this.getModuleInfo(id)?.importedIds ?? [];
      collectImports(importsOf(join(root, PROGRAM)), importsOf, start);
      const roots = CORE.map((path) => join(root, path));
      collectImports(roots, importsOf, core);
    },
  };
  return { start, core, plugin };
}

/**
 * Adds modules and what they import statically, directly or not.
 * @param {readonly string[]} ids
 * @param {(id: string) => readonly string[]} importsOf
 * @param {Set<string>} found
 */
function collectImports(ids, importsOf, found) {
  for (const id of ids) {
    if (found.has(id)) continue;
    found.add(id);
    collectImports(importsOf(id), importsOf, found);
  }
}

/**
 * Keeps the meaning of `import.meta.url` in our modules: they find files beside the path that they had as files of their own.
 * @param {string} root
 * @returns {import('rolldown').Plugin}
 */
function placesKept(root) {
  return {
    name: 'places-kept',
    transform: {
      filter: { id: /\.ts$/, code: 'import.meta.url' },
      handler: (code, id) => {
        const path = JSON.stringify(slashed(relative(root, id)).replace(/\.ts$/, '.js'));
        return { code: code.replaceAll('import.meta.url', `${PLACE}(${path})`), map: null };
      },
    },
    renderChunk(code, { fileName }) {
      if (!code.includes(PLACE)) return null;
      const urlFrom = (/** @type {string} */ path) =>
        `new URL(${JSON.stringify(slashed(relative(dirname(fileName), path)))}, import.meta.url).href`;
      const placed = code.replace(PLACES, (_, path) =>
        path === fileName ? 'import.meta.url' : urlFrom(path),
      );
      return { code: placed, map: null };
    },
  };
}

/** @param {string} path */
const slashed = (path) => path.replaceAll('\\', '/');
