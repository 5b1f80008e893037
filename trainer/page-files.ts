import { readFile } from 'node:fs/promises';
import { extname } from 'node:path';
import { gunzipSync } from 'node:zlib';
import { messageOf, UserError } from '../shared/errors.js';
import type { PageFile } from '../shared/link/page-answers.js';

/** The folder that scripts/setup/page-bundle.mjs writes. From a source file, as in a test, it is the one in dist/. */
const FOLDER = extname(import.meta.url) === '.ts' ? '../dist/web/' : '../web/';

/** What the page that travels through a run is made of. */
const VIEW_PATHS =
  /^\/(view(\/|$)|page\/(style\.css|icon\.svg)$|kernels\/|worker\/(receipt-worker|compute-thread|sleeper)\.js$)/;

/** The file in it that lists the others. */
const TABLE = 'table.json';

/**
 * Reads the files of a page.
 * @param page that of a run, which a coordinator serves, or the one that travels through a run (unisum view)
 * @returns the files by path, such as "/page/main.js"
 * @throws UserError when the page has not been built
 */
export async function readPageFiles(page: 'run' | 'view' = 'run'): Promise<ReadonlyMap<string, PageFile>> {
  const read = (name: string): Promise<Uint8Array> => readFile(new URL(`${FOLDER}${name}`, import.meta.url));
  try {
    const table = JSON.parse(new TextDecoder().decode(await read(TABLE))) as Record<string, PageEntry>;
    const isOf = ([path]: [string, PageEntry]): boolean =>
      page === 'run' ? !/^\/(view|worker\/receipt)/.test(path) : VIEW_PATHS.test(path);
    const files = Object.entries(table)
      .filter(isOf)
      .map(async ([path, { file, type }]): Promise<[string, PageFile]> => {
        const gzip = await read(`${file}.gz`);
        return [path, { type, bytes: gunzipSync(gzip), gzip }];
      });
    return new Map(await Promise.all(files));
  } catch (error) {
    const why = messageOf(error);
    throw new UserError(`the page for browsers is missing (${why}): run npm run build`);
  }
}

/** An entry of the table: where a path's bytes are, and their MIME type. */
interface PageEntry {
  readonly file: string;
  readonly type: string;
}
