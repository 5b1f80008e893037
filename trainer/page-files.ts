import { readFile } from 'node:fs/promises';
import { extname } from 'node:path';
import { gunzipSync } from 'node:zlib';
import { UserError } from '../shared/errors.js';
import type { PageFile } from '../shared/link/page-answers.js';

/** The folder that scripts/setup/bundle.mjs writes. From a source file, as in a test, it is the one in dist/. */
const FOLDER = extname(import.meta.url) === '.ts' ? '../dist/web/' : '../web/';

/** The file in it that lists the others. */
const TABLE = 'table.json';

/**
 * Reads the files of the page that a coordinator serves.
 * @returns the files by path, such as "/page/main.js"
 * @throws UserError when the page has not been built
 */
export async function readPageFiles(): Promise<ReadonlyMap<string, PageFile>> {
  const read = (name: string): Promise<Uint8Array> => readFile(new URL(`${FOLDER}${name}`, import.meta.url));
  try {
    const table = JSON.parse(new TextDecoder().decode(await read(TABLE))) as Record<string, PageEntry>;
    const files = Object.entries(table).map(async ([path, { file, type }]): Promise<[string, PageFile]> => {
      const gzip = await read(`${file}.gz`);
      return [path, { type, bytes: gunzipSync(gzip), gzip }];
    });
    return new Map(await Promise.all(files));
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    throw new UserError(`the page for browsers is missing (${why}): run npm run build`);
  }
}

/** An entry of the table: where a path's bytes are, and their MIME type. */
interface PageEntry {
  readonly file: string;
  readonly type: string;
}
