import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join, posix } from 'node:path';

/** The folder of package.json. */
export const ROOT = join(import.meta.dirname, '../..');

/** A page of documentation. */
export interface Page {
  /** Relative to the root, with forward slashes. */
  readonly path: string;
  readonly text: string;
}

/** Every page: those beside package.json, and all of docs/. */
export function readPages(): Page[] {
  const beside = readdirSync(ROOT);
  const docs = readdirSync(join(ROOT, 'docs'), { recursive: true, encoding: 'utf8' });
  const paths = [...beside, ...docs.map((name) => posix.join('docs', name.replaceAll('\\', '/')))];
  return paths
    .filter((path) => path.endsWith('.md'))
    .map((path) => ({ path, text: readFileSync(join(ROOT, path), 'utf8') }));
}

/** A link of a page to another file, or to a heading. */
export interface PageLink {
  /** As it is written. */
  readonly link: string;
  /** Relative to the root; the page itself for a link to one of its headings. */
  readonly target: string;
  /** What follows "#"; undefined without it. */
  readonly heading: string | undefined;
}

/** Links and images of a page, but for those that lead to other hosts. Code is left out. */
export function linksOf({ path, text }: Page): PageLink[] {
  const prose = text.replace(/```[\s\S]*?```/g, '').replace(/`[^`\n]*`/g, '');
  return [...prose.matchAll(/\]\(([^)\s]+)\)/g)].flatMap(([, link = '']) => {
    if (/^[a-z]+:/.test(link)) return [];
    const [file = '', heading] = link.split('#');
    const target = file === '' ? path : posix.join(dirname(path), file);
    return [{ link, target, heading }];
  });
}

/** Anchors of a page's headings, as GitHub makes them. */
export function headingsOf({ text }: Page): string[] {
  return [...text.matchAll(/^#+ (.+)$/gm)].map(([, heading = '']) =>
    heading
      .toLowerCase()
      .replace(/[^\p{L}\p{N} _-]/gu, '')
      .replaceAll(' ', '-'),
  );
}

/** Command lines of a page: all lines of its `sh` blocks, and those that begin with "$ " in its `console` blocks. */
export function commandLinesOf({ text }: Page): string[] {
  const blocks = [...text.matchAll(/```(sh|console)\n([\s\S]*?)```/g)];
  const lines = blocks.flatMap(([, kind, block = '']) =>
    block
      .split('\n')
      .filter((line) => kind === 'sh' || line.startsWith('$ '))
      .map((line) => line.replace(/^\$ /, '')),
  );
  return lines.map((line) => line.replace(/\s+# .*$/, '').trim()).filter((line) => line !== '');
}
