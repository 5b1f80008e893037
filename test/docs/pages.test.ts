import { execFileSync } from 'node:child_process';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { checkCommandLine } from './command-line.js';
import { commandLinesOf, headingsOf, linksOf, type Page, ROOT, readPages } from './pages.js';

const PAGES = readPages();
const pageAt = (path: string): Page | undefined => PAGES.find((page) => page.path === path);

describe.each(PAGES.map((page) => [page.path, page] as const))('%s', (_, page) => {
  it('links to files and headings that exist', () => {
    const wrong = linksOf(page).filter(({ target, heading }) => {
      if (!existsSync(join(ROOT, target))) return true;
      return heading !== undefined && !headingsOf(pageAt(target) ?? page).includes(heading);
    });
    expect(wrong.map(({ link }) => link)).toEqual([]);
  });

  it('has headings that are all different, so that a link means one of them', () => {
    const headings = headingsOf(page);
    expect(headings.filter((heading, i) => headings.indexOf(heading) !== i)).toEqual([]);
  });

  it('has command lines that would be understood', async () => {
    for (const line of commandLinesOf(page)) await checkCommandLine(line);
  });

  it('names environment variables that the project reads', () => {
    const names = new Set(page.text.match(/\bUNISUM_[A-Z_]+\b/g));
    expect([...names].filter((name) => !readVariables().has(name))).toEqual([]);
  });
});

describe('the pages', () => {
  it('have links and command lines', () => {
    expect(PAGES.flatMap(linksOf).length).toBeGreaterThan(200);
    expect(PAGES.flatMap(commandLinesOf).length).toBeGreaterThan(50);
  });

  it('can be reached from the README', () => {
    const reached = new Set<string>();
    const visit = (path: string): void => {
      const page = pageAt(path);
      if (page === undefined || reached.has(path)) return;
      reached.add(path);
      for (const { target } of linksOf(page)) visit(target);
    };
    visit('README.md');
    expect(PAGES.map(({ path }) => path).filter((path) => !reached.has(path))).toEqual([]);
  });

  it('have links that work in the packed package too', () => {
    const packed = new Set(packedFiles());
    const folders = new Set([...packed].flatMap(foldersOf));
    const pages = PAGES.filter(({ path }) => packed.has(path));
    expect(pages.map(({ path }) => path)).toContain('docs/guide/your-own.md');
    const broken = pages.flatMap((page) =>
      linksOf(page)
        .filter(({ target }) => !packed.has(target) && !folders.has(target))
        .map(({ link }) => `${page.path}: ${link}`),
    );
    expect(broken, 'package.json "files" must include what packed pages link to').toEqual([]);
  });

  it('have a README of two screens that begins with the two commands', () => {
    const { text } = pageAt('README.md')!;
    expect(text.split('\n').length).toBeLessThanOrEqual(120);
    expect(commandLinesOf({ path: '', text })[0]).toBe('npm start');
    expect(text.indexOf('npm test')).toBeLessThan(text.indexOf('## '));
  });
});

it('the README in Chinese has the commands, the links and the headings of the English one', () => {
  const [english, chinese] = ['README.md', 'README.zh-CN.md'].map((path) => pageAt(path) as Page);
  const blocksOf = (page: Page | undefined) => page?.text.match(/^```[\s\S]*?^```/gm);
  const targetsOf = (page: Page | undefined) =>
    linksOf(page as Page)
      .map(({ target, heading }) => `${target}#${heading ?? ''}`)
      .filter((target) => !target.startsWith('README'))
      .sort();
  expect(blocksOf(chinese)).toEqual(blocksOf(english));
  expect(targetsOf(chinese)).toEqual(targetsOf(english));
  expect(headingsOf(chinese as Page).length).toBe(headingsOf(english as Page).length);
});

describe('the checks of pages', () => {
  it.each([
    ['npm start -- mnist-mlp --epocs 5', 'unknown option'],
    ['npm start -- mnist-lmp', 'mnist-lmp'],
    ['npm start mnist-mlp', 'options come after --'],
    ['npm run -s unisum -- explain nothing', 'there is no network nothing'],
    ['npm run -s unisum -- brench step', 'there is no command brench'],
    ['npm run -s unisum -- bench step --wokload mlp10', 'unknown option'],
    ['npm run sooak', 'no script sooak'],
    ['npx vitest run test/nowhere', 'there is no test/nowhere'],
    ['UNISUM_PROOF=1 npx vitest run test/kernels test/nowhere', 'there is no test/nowhere'],
    ['make', 'not a command of this project'],
  ])('refuse the line: %s', async (line, message) => {
    await expect(checkCommandLine(line)).rejects.toThrow(message);
  });

  it('read links, headings and commands, and leave code out', () => {
    const text = [
      '# One & two',
      '[a](b.md#c) ![d](../e.svg) [f](https://example.com) `[h](i)` [j](#one--two)',
      '```sh\nnpm test   # all\n```\n```console\n$ npm start\nend\n```\n```ts\n[k](l)\n```',
    ].join('\n');
    const page = { path: 'docs/a.md', text };
    expect(linksOf(page)).toEqual([
      { link: 'b.md#c', target: 'docs/b.md', heading: 'c' },
      { link: '../e.svg', target: 'e.svg', heading: undefined },
      { link: '#one--two', target: 'docs/a.md', heading: 'one--two' },
    ]);
    expect(headingsOf(page)).toEqual(['one--two']);
    expect(commandLinesOf(page)).toEqual(['npm test', 'npm start']);
  });
});

let variables: ReadonlySet<string> | undefined;

/** Environment variables that code, tests and scripts mention. */
function readVariables(): ReadonlySet<string> {
  if (variables !== undefined) return variables;
  const files = ['coordinator', 'worker', 'shared', 'trainer', 'simulation', 'scripts', 'test'].flatMap(
    (folder) =>
      readdirSync(join(ROOT, folder), { recursive: true, encoding: 'utf8' })
        .filter((name) => /\.(ts|mjs)$/.test(name))
        .map((name) => join(ROOT, folder, name)),
  );
  const texts = files.map((file) => readFileSync(file, 'utf8'));
  variables = new Set(texts.flatMap((text) => text.match(/\bUNISUM_[A-Z_]+\b/g) ?? []));
  return variables;
}

/** Paths of the files that `npm pack` would put into the package. */
function packedFiles(): string[] {
  const args = ['pack', '--dry-run', '--ignore-scripts', '--json', '--loglevel=error'];
  const output = execFileSync('npm', args, {
    cwd: ROOT,
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'ignore'],
  });
  const [pack] = JSON.parse(output) as [{ files: { path: string }[] }];
  return pack.files.map(({ path }) => path);
}

/** The folders of a path, outer ones first. */
function foldersOf(path: string): string[] {
  const parts = path.split('/').slice(0, -1);
  return parts.map((_, i) => parts.slice(0, i + 1).join('/'));
}
