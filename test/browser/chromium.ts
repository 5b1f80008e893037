import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { promisify } from 'node:util';

/** Debian's browser; undefined where there is none. */
export const CHROMIUM = (process.env.PATH ?? '')
  .split(delimiter)
  .flatMap((folder) => ['chromium', 'chromium-browser'].map((name) => join(folder, name)))
  .find(existsSync);

/** Opens a page in a browser without a window, lets its scripts run, and returns the document as it is then. */
export async function openPage(page: string, fragment = '', width = 1000): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'unisum-page-'));
  try {
    const file = join(folder, 'page.html');
    await writeFile(file, page);
    const { stdout } = await promisify(execFile)(
      CHROMIUM as string,
      [
        ...['--headless', '--no-sandbox', '--disable-gpu', `--user-data-dir=${join(folder, 'profile')}`],
        ...[`--window-size=${width},900`, '--dump-dom', `${pathToFileURL(file).href}${fragment}`],
      ],
      { maxBuffer: 2 ** 24 },
    );
    return stdout;
  } finally {
    await rm(folder, { recursive: true, force: true, maxRetries: 5 });
  }
}
