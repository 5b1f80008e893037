/*
 * Builds the documentation as a site into build/site/out: `npm run site`; into another folder, and for another
 * path than / on its host: `npm run site -- FOLDER /unisum/`. The pages are those of
 * the repository; the reference is written by TypeDoc from the comments of the code. VitePress, which builds the site, fails on
 * a link that leads nowhere. Both are installed into build/site on first use, as nothing else needs them.
 */
import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { exampleCode, withExamples } from './site/reference-examples.js';
import { type ReferenceModule, referenceModules } from './site/reference-modules.js';
import { CONTENTS, siteNameOf, sitePages, TITLES, titleOf } from './site/site-pages.js';

/** TypeDoc needs the compiler's API, which version 7 of TypeScript does not have. */
const TOOLS = ['vitepress@1.6.4', 'typedoc@0.28.20', 'typedoc-plugin-markdown@4.14.1', 'typescript@5.9.3'];

const ROOT = fileURLToPath(new URL('../..', import.meta.url));
const SITE = join(ROOT, 'build/site');
const OUT = resolve(process.argv[2] ?? join(SITE, 'out'));
const [PAGES, MODULES] = [join(SITE, 'pages'), join(SITE, 'modules')];
const REFERENCE = 'reference';

/** Long names of types and paths break, so that a page is no wider than a phone; code and tables scroll by themselves. */
const STYLE = `
.vp-doc :not(pre) > code, .vp-doc h3, .vp-doc h4 { overflow-wrap: anywhere; }
.vp-doc table code { overflow-wrap: normal; }
.Layout { overflow-x: clip; }
`;
const THEME = "import './style.css';\nexport { default } from 'vitepress/theme';\n";

const say = (line: string): void => void process.stderr.write(`${line}\n`);

function write(path: string, content: string | Uint8Array): void {
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(path, content);
}

function installTools(): void {
  const isInstalled = TOOLS.every((tool) => {
    const [, name = '', version] = /^(.+)@(.+)$/.exec(tool) ?? [];
    const manifest = join(SITE, 'node_modules', name, 'package.json');
    return existsSync(manifest) && JSON.parse(readFileSync(manifest, 'utf8')).version === version;
  });
  if (isInstalled) return;
  say(`installing ${TOOLS.join(', ')}`);
  const args = [
    'install',
    '--prefix',
    SITE,
    '--ignore-scripts',
    '--no-audit',
    '--no-fund',
    '--no-save',
    ...TOOLS,
  ];
  execFileSync('npm', args, { stdio: ['ignore', 'ignore', 'inherit'] });
}

/** Writes the pages of the reference. @throws Error when a public function has none */
function writeReference(modules: readonly ReferenceModule[]): void {
  for (const { name, text } of modules) write(join(MODULES, `${name}.ts`), text);
  const options = {
    entryPoints: modules.map(({ name }) => join(MODULES, `${name}.ts`)),
    tsconfig: join(MODULES, 'tsconfig.json'),
    ...{ plugin: ['typedoc-plugin-markdown'], out: join(PAGES, REFERENCE), outputFileStrategy: 'modules' },
    ...{
      readme: 'none',
      disableSources: true,
      hideBreadcrumbs: true,
      hidePageHeader: true,
      entryFileName: 'index',
    },
    ...{
      name: 'Reference',
      parametersFormat: 'table',
      interfacePropertiesFormat: 'table',
      skipErrorChecking: true,
    },
    ...{ excludePrivate: true, excludeInternal: true, excludeExternals: true, logLevel: 'Error' },
    ...{ expandObjects: false, useCodeBlocks: true, sort: ['source-order'], router: 'module' },
    tableColumnSettings: { hideModifiers: true, hideInherited: true },
    groupOrder: ['Functions', 'Classes', 'Interfaces', '*'],
  };
  write(
    join(MODULES, 'tsconfig.json'),
    JSON.stringify({ extends: join(ROOT, 'tsconfig.json'), include: ['*.ts'] }),
  );
  write(join(MODULES, 'typedoc.json'), JSON.stringify(options));
  const typedoc = join(SITE, 'node_modules/typedoc/bin/typedoc');
  execFileSync(process.execPath, [typedoc, '--options', join(MODULES, 'typedoc.json')], {
    ...{ cwd: SITE, stdio: 'inherit' },
  });
  const code = exampleCode(ROOT);
  for (const { name, functions } of modules) {
    const path = join(PAGES, REFERENCE, `${name}.md`);
    // Pages show no HTML, and nothing links to the rows of a table.
    const page = readFileSync(path, 'utf8').replace(/<a id="[^"]*"><\/a>\s*/g, '');
    const { text, without } = withExamples(page, functions, code);
    const missing = functions
      .map((one) => one.name)
      .filter((one) => !new RegExp(`^#+ ${one}\\(\\)`, 'm').test(text));
    if (missing.length > 0) throw new Error(`the reference of ${name} lacks ${missing.join(', ')}`);
    if (without.length > 0) say(`${name}: no guide or recipe shows ${without.join(', ')}`);
    writeFileSync(path, text);
  }
}

function writeConfig(modules: readonly ReferenceModule[]): void {
  const link = (path: string): string => `/${siteNameOf(path).replace(/(index)?\.md$/, '')}`;
  const sidebar = Object.entries(CONTENTS).map(([text, pages]) => ({
    text,
    items: pages.map((path) => ({
      text: TITLES[path] ?? titleOf(readFileSync(join(ROOT, path), 'utf8')),
      link: link(path),
    })),
  }));
  const reference = {
    text: 'Reference',
    items: modules.map(({ name }) => ({ text: name, link: `/${REFERENCE}/${name}` })),
  };
  const config = {
    ...{
      title: 'Unisum',
      description: 'N machines, one sum',
      outDir: OUT,
    },
    ...{ base: process.argv[3] ?? '/', cleanUrls: true, markdown: { html: false } },
    // Browsers ask for an icon otherwise.
    head: [['link', { rel: 'icon', href: 'data:,' }]],
    themeConfig: { search: { provider: 'local' }, sidebar: [...sidebar, reference], outline: [2, 3] },
  };
  write(join(PAGES, '.vitepress/config.mjs'), `export default ${JSON.stringify(config, null, 2)};\n`);
  write(join(PAGES, '.vitepress/theme/style.css'), STYLE);
  write(join(PAGES, '.vitepress/theme/index.mjs'), THEME);
}

installTools();
for (const folder of [PAGES, MODULES]) rmSync(folder, { recursive: true, force: true });
const modules = referenceModules(ROOT, '../../..');
for (const { path, content } of sitePages(ROOT)) write(join(PAGES, path), content);
writeReference(modules);
writeConfig(modules);
execFileSync(process.execPath, [join(SITE, 'node_modules/vitepress/bin/vitepress.js'), 'build', PAGES], {
  ...{ cwd: SITE, stdio: 'inherit' },
});
const pages = readdirSync(OUT, { recursive: true, encoding: 'utf8' }).filter((name) =>
  name.endsWith('.html'),
);
say(`${pages.length} pages in ${OUT}`);
