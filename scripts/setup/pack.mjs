// @ts-check
/**
 * Makes dist/ ready for `npm pack`, and undoes it: `pack.mjs bundle` before, `pack.mjs restore` after.
 *
 * The package installs few other packages: what a module imports from most dependencies is bundled with it, without what nobody
 * calls. So an installation is small, and needs no install script of a dependency's dependency.
 */
import {
  cpSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { dirname, extname, join, relative, resolve } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { buildIsFresh, buildSources } from './build.mjs';
import { bundleProgram, STARTED } from './program-bundle.mjs';

/** Files that the program reads beside its modules. */
const ASSETS = new Set(['.wasm', '.json', '.html', '.css', '.svg']);

/** An import in a file of types, in three parts: before the name, the name, after it. */
const IMPORT_OF = /((?:from|import)\s*\(?\s*['"])([^'"]+)(['"])/g;

/** @typedef {{ exports: Record<string, string>, dependencies: Record<string, string> }} PackageFile */

/**
 * Replaces dist/ by what the package contains. The dist/ of the checkout waits in .cache/ for `restore`; if that never comes, the
 * next setup builds anew, as nothing vouches for the sources of what is here.
 * @param {string} root folder of package.json
 */
async function replaceBuild(root) {
  if (!buildIsFresh(root)) buildSources(root);
  const bundled = join(root, '.cache', 'dist.package');
  await bundlePackage(root, bundled);
  const aside = asideOf(root);
  rmSync(aside, { recursive: true, force: true });
  renameSync(join(root, 'dist'), aside);
  renameSync(bundled, join(root, 'dist'));
}

/**
 * Writes what the package contains in place of dist/.
 * @param {string} root folder of package.json, with a fresh dist/
 * @param {string} to a folder, which is emptied before
 */
export async function bundlePackage(root, to) {
  rmSync(to, { recursive: true, force: true });
  const dist = join(root, 'dist');
  const { exports, dependencies } = /** @type {PackageFile} */ (
    JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'))
  );
  const installed = Object.keys(dependencies);
  const published = publishedModules(root, exports);
  const forNode = published.filter((path) => !path.startsWith('web/'));
  const entries = [...STARTED, ...forNode.map((path) => path.replace(/\.js$/, '.ts'))];
  const modules = await bundleProgram(root, to, { entries, installed, sourcemap: false });
  copyLicenses(root, to, modules);
  copyAssets(dist, to);
  copyTypes(root, to, published, installed);
}

/** Brings the dist/ of the checkout back. @param {string} root */
function restoreBuild(root) {
  const aside = asideOf(root);
  if (!existsSync(aside)) return;
  rmSync(join(root, 'dist'), { recursive: true, force: true });
  renameSync(aside, join(root, 'dist'));
}

/** @param {string} root @returns {string} where the dist/ of the checkout waits */
function asideOf(root) {
  return join(root, '.cache', 'dist.checkout');
}

/**
 * The compiled modules that package.json exports. A `*` of it stands for a path, so "./data/*" exports modules of inner folders too.
 * @param {string} root
 * @param {Record<string, string>} exports
 * @returns {string[]} paths in dist/
 */
function publishedModules(root, exports) {
  return Object.values(exports).flatMap((path) => {
    const inDist = path.replace(/^\.\/dist\//, '');
    if (!inDist.includes('*')) return [inDist];
    const folder = dirname(inDist);
    return readdirSync(join(root, 'dist', folder), { recursive: true, encoding: 'utf8' })
      .filter((name) => name.endsWith('.js'))
      .map((name) => `${folder}/${name.replaceAll('\\', '/')}`);
  });
}

/**
 * Collects the licenses of the packages that were taken in, as they ask for.
 * @param {string} root @param {string} bundled @param {string[]} modules
 */
function copyLicenses(root, bundled, modules) {
  const home = join(root, 'node_modules');
  const names = new Set(
    modules.flatMap((path) => /.*\/node_modules\/((@[^/]+\/)?[^/]+)\//.exec(path)?.[1] ?? []),
  );
  const texts = [...names].sort().map((name) => {
    const folder = join(home, name);
    const { version, license } = JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8'));
    const file = readdirSync(folder).find((entry) => /^(licen[cs]e|copying)/i.test(entry));
    const text = file === undefined ? '' : readFileSync(join(folder, file), 'utf8').trim();
    return `${name} ${version} (${license})\n\n${text}\n`;
  });
  mkdirSync(join(bundled, 'vendor'), { recursive: true });
  writeFileSync(join(bundled, 'vendor', 'LICENSES.txt'), texts.join(`\n${'-'.repeat(80)}\n\n`));
}

/** @param {string} dist @param {string} bundled */
function copyAssets(dist, bundled) {
  for (const name of readdirSync(dist, { recursive: true, encoding: 'utf8' })) {
    const isScriptOfPage = /[/\\]page[/\\][^/\\]+\.js$/.test(name);
    // What browsers load is bundled already.
    const isOfWeb = /^web[/\\]/.test(name) && extname(name) !== '' && !name.endsWith('.d.ts');
    if (ASSETS.has(extname(name)) || isScriptOfPage || isOfWeb)
      copyInto(join(dist, name), join(bundled, name));
  }
}

/**
 * Copies the types of the published modules, and those that they rest on. Types of packages that were taken in lie in
 * dist/vendor.
 * @param {string} root @param {string} bundled @param {string[]} published @param {string[]} installed
 */
function copyTypes(root, bundled, published, installed) {
  const dist = join(root, 'dist');
  const typesOf = (/** @type {string} */ module) => module.replace(/\.js$/, '.d.ts');
  const queue = published.map((path) => resolve(dist, typesOf(path)));
  const seen = new Set(queue);
  for (const path of queue) {
    const to = join(bundled, relative(dist, path));
    const text = readFileSync(path, 'utf8').replace(IMPORT_OF, (whole, before, name, after) => {
      if (name.startsWith('.')) {
        const next = resolve(dirname(path), typesOf(name));
        if (!seen.has(next)) queue.push(next);
        seen.add(next);
        return whole;
      }
      if (name.startsWith('node:') || installed.includes(name)) return whole;
      const types = join(bundled, 'vendor', `${name}.d.ts`);
      if (!existsSync(types)) copyInto(typesFileOf(root, name), types);
      return `${before}${relative(dirname(to), types)
        .replaceAll('\\', '/')
        .replace(/\.d\.ts$/, '.js')}${after}`;
    });
    mkdirSync(dirname(to), { recursive: true });
    writeFileSync(to, text);
  }
}

/**
 * @param {string} root @param {string} name of a package
 * @returns {string} the file with its types, which may not import others
 * @throws {Error} when it is not one file
 */
function typesFileOf(root, name) {
  const folder = join(root, 'node_modules', name);
  const { types } = JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8'));
  const file = types === undefined ? undefined : join(folder, types);
  if (file === undefined || IMPORT_OF.test(readFileSync(file, 'utf8')))
    throw new Error(`published types need those of ${name}, which are not one file: list it in dependencies`);
  return file;
}

/** @param {string} from @param {string} to */
function copyInto(from, to) {
  mkdirSync(dirname(to), { recursive: true });
  cpSync(from, to);
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? '').href) {
  const root = fileURLToPath(new URL('../..', import.meta.url));
  if (process.argv[2] === 'restore') restoreBuild(root);
  else await replaceBuild(root);
}
