/*
 * The pages of the documentation as a site shows them. They keep their places, so links between them hold; a link to a source or a
 * folder leads to a page that shows it.
 */
import { readdirSync, readFileSync, statSync } from 'node:fs';
import { basename, extname, join, posix } from 'node:path';

/** Pages by their part of the side bar, in the order of reading. Each lists all of the documentation. */
export const CONTENTS: Readonly<Record<string, readonly string[]>> = {
  Start: [
    'README.md',
    'README.zh-CN.md',
    'docs/guide/your-own.md',
    'docs/guide/library.md',
    'docs/operations.md',
  ],
  Learn: ['docs/guide/backpropagation.md', 'docs/guide/four-questions.md', 'docs/glossary.md'],
  Use: [
    'docs/recipes.md',
    'docs/layers.md',
    'docs/formats.md',
    'docs/codecs.md',
    'docs/local-updates.md',
    'docs/relays.md',
  ],
  Trust: [
    ...[
      'docs/guarantee.md',
      'docs/numerics.md',
      'docs/one-hash.md',
      'docs/verification.md',
      'docs/faults.md',
    ],
    ...['docs/expectations.md', 'SECURITY.md'],
  ],
  Compare: ['docs/benchmarks.md', 'docs/comparison.md'],
  Develop: ['docs/architecture.md', 'CONTRIBUTING.md', 'CHANGELOG.md'],
};

/** Names in the side bar of pages whose headings do not tell them apart. */
export const TITLES: Readonly<Record<string, string>> = {
  'README.md': 'What it is',
  'README.zh-CN.md': '中文',
};

/** The first page is the site's own. */
export const siteNameOf = (path: string): string => (path === 'README.md' ? 'index.md' : path);

/** A file of the site. */
export interface SiteFile {
  readonly path: string;
  readonly content: string | Uint8Array;
}

/** Images that pages show lie where they lay. */
const IMAGES = new Set(['.svg', '.png']);
/** Names by which the site colours a source; others are shown plainly. */
const LANGUAGES = new Set(['.ts', '.js', '.mjs', '.py', '.c', '.h', '.json', '.yaml', '.html', '.css']);

/**
 * All pages, what they link to, and their images.
 * @param root folder of package.json
 * @throws Error when a page is not in the side bar, or links to nothing
 */
export function sitePages(root: string): SiteFile[] {
  const paths = Object.values(CONTENTS).flat();
  const forgotten = pagesIn(root).filter((path) => !paths.includes(path));
  if (forgotten.length > 0) throw new Error(`pages without a place in the side bar: ${forgotten.join(', ')}`);
  const linked = new Set<string>();
  const pages = paths.map((path) => ({
    path: siteNameOf(path),
    content: withSiteLinks(path, readFileSync(join(root, path), 'utf8'), linked),
  }));
  const others = [...linked].filter((path) => !paths.includes(path));
  return [...pages, ...others.map((path) => siteFileOf(root, path))];
}

function pagesIn(root: string): string[] {
  const docs = readdirSync(join(root, 'docs'), { recursive: true, encoding: 'utf8' });
  return [...readdirSync(root), ...docs.map((name) => posix.join('docs', name.replaceAll('\\', '/')))].filter(
    (path) => path.endsWith('.md'),
  );
}

/** The text of a page with links as the site has them. @param linked collects what it links to, relative to the root */
function withSiteLinks(page: string, text: string, linked: Set<string>): string {
  return outsideOfCode(text, (prose) =>
    prose.replace(/\]\(([^)\s]+)\)/g, (whole, link: string) => {
      if (/^[a-z]+:/.test(link) || link.startsWith('#')) return whole;
      const [file = '', heading] = link.split('#');
      const target = posix.join(posix.dirname(page), file).replace(/\/$/, '');
      linked.add(target);
      const place = placeOf(target);
      const from = posix.relative(posix.dirname(siteNameOf(page)), place);
      return `](${from.startsWith('.') ? from : `./${from}`}${heading === undefined ? '' : `#${heading}`})`;
    }),
  );
}

/** Applies a change to what is not code. */
function outsideOfCode(text: string, change: (prose: string) => string): string {
  return text
    .split(/(```[\s\S]*?```|`[^`\n]*`)/)
    .map((piece, i) => (i % 2 === 0 ? change(piece) : piece))
    .join('');
}

/** Where the site has a file of the repository. */
function placeOf(path: string): string {
  if (path.endsWith('.md')) return siteNameOf(path);
  return IMAGES.has(extname(path)) ? path : `source/${path}.md`;
}

/** An image as it is; a page that shows a source, or lists a folder. */
function siteFileOf(root: string, path: string): SiteFile {
  const place = placeOf(path);
  const file = join(root, path);
  if (IMAGES.has(extname(path))) return { path: place, content: readFileSync(file) };
  const content = statSync(file).isDirectory()
    ? readdirSync(file)
        .sort()
        .map((name) => `- \`${name}\``)
    : fenced(readFileSync(file, 'utf8'), LANGUAGES.has(extname(path)) ? extname(path).slice(1) : 'text');
  return {
    path: place,
    content: [`# ${basename(path)}`, '', `\`${path}\``, '', ...[content].flat(), ''].join('\n'),
  };
}

function fenced(text: string, language: string): string {
  return `\`\`\`\`\`${language}\n${text}\n\`\`\`\`\``;
}

/** The first heading of a page. */
export function titleOf(text: string): string {
  return /^# (.*)$/m.exec(text)?.[1] ?? '';
}
