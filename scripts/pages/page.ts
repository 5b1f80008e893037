import { readFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';

/**
 * A page that needs nothing else: style, script and data are in it, and the chart library where the page has a place
 * for it. Places are comments such as "page style", "chart library" or "data".
 * @param folder of page.html, page.css and page.js
 * @param data what the script finds as REPORT
 */
export async function fillPage(folder: URL, data: object): Promise<string> {
  const own = (name: string): Promise<string> => readFile(new URL(name, folder), 'utf8');
  const library = dirname(createRequire(import.meta.url).resolve('uplot'));
  const chart = (name: string): Promise<string> => readFile(join(library, name), 'utf8');
  const parts: Record<string, string> = {
    'chart style': await chart('uPlot.min.css'),
    'page style': await own('page.css'),
    'chart library': await chart('uPlot.iife.min.js'),
    // No text in the data may end the element that it stands in.
    data: `const REPORT = ${JSON.stringify(data).replaceAll('<', '\\u003c')};`,
    'page script': await own('page.js'),
  };
  const page = await own('page.html');
  return page.replace(/\/\* ([a-z ]+) \*\//g, (mark, name: string) => parts[name] ?? mark);
}
