import { readdir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { readBoundedFile } from '../../shared/files/read-file.js';
import type { Answer } from '../../shared/link/page-answers.js';
import type { ReportLink } from '../../shared/protocol/view-facts.js';

/** Largest page that is served. */
const PAGE_BYTES_MAX = 2 ** 26;
/** Where a title stands. */
const HEAD_BYTES = 4096;
/** Pages that are listed. */
const PAGES_MAX = 32;
const NAME = /^[\w-]{1,80}\.html$/;
/** How the titles of our pages begin. */
const TITLE = /<title>Unisum: ([^<]{1,100})<\/title>/;

/**
 * The pages of reports in a run directory: run.html, gradients.html, and whatever --html has written there. A directory of
 * somebody else may hold any page: each is served in a sandbox, without access to anything but itself.
 */
export class RunReports {
  /** Titles by name, as long as a file has the same size; null: it is none of our pages. */
  private readonly titles = new Map<string, { readonly bytes: number; readonly title: string | null }>();

  /** @param prefix of their paths, which nobody can guess */
  constructor(
    private readonly path: string,
    private readonly prefix: string,
  ) {}

  /** The pages that are there now. */
  async list(): Promise<ReportLink[]> {
    const names = (await readdir(this.path)).filter((name) => NAME.test(name)).sort();
    const links = names.slice(0, PAGES_MAX).map(async (name): Promise<ReportLink[]> => {
      const title = await this.titleOf(name);
      return title === null ? [] : [{ title, path: `.${this.prefix}${name}` }];
    });
    return (await Promise.all(links)).flat();
  }

  /** Answers a request for one of them; undefined where there is none at its path. */
  async answer(pathname: string): Promise<Answer | undefined> {
    const name = pathname.slice(this.prefix.length);
    if (!pathname.startsWith(this.prefix) || !NAME.test(name)) return undefined;
    return { status: 200, headers: HEADERS, body: await this.read(name) };
  }

  private async titleOf(name: string): Promise<string | null> {
    const { size: bytes } = await stat(join(this.path, name));
    const known = this.titles.get(name);
    if (known?.bytes === bytes) return known.title;
    const head = (await this.read(name)).subarray(0, HEAD_BYTES);
    const title = TITLE.exec(new TextDecoder().decode(head))?.[1] ?? null;
    this.titles.set(name, { bytes, title });
    return title;
  }

  private read(name: string): Promise<Uint8Array> {
    return readBoundedFile(join(this.path, name), PAGE_BYTES_MAX);
  }
}

const HEADERS: Readonly<Record<string, string>> = {
  'content-type': 'text/html; charset=utf-8',
  'content-security-policy':
    "sandbox allow-scripts; default-src 'none'; script-src 'unsafe-inline'; style-src 'unsafe-inline'; img-src data:; " +
    "frame-ancestors 'none'; base-uri 'none'; form-action 'none'",
  'referrer-policy': 'no-referrer',
  'x-content-type-options': 'nosniff',
  'cache-control': 'no-store',
};
