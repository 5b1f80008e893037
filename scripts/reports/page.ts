import { readFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';

/**
 * Builds a self-contained page: styles, scripts and data replace placeholder comments in page.html, such as
 * "page style", "design" (page/design.css, which all pages share, and page/report.css), "chart library" (uPlot), "charts"
 * (page/charts.js) or "data".
 * @param folder the folder of page.html, page.css and page.js
 * @param data what the page's script reads as REPORT
 */
export async function fillPage(folder: URL, data: object): Promise<string> {
  const own = (name: string): Promise<string> => readFile(new URL(name, folder), 'utf8');
  const shared = (name: string): Promise<string> => readFile(new URL(name, import.meta.url), 'utf8');
  const library = dirname(createRequire(import.meta.url).resolve('uplot'));
  const chart = (name: string): Promise<string> => readFile(join(library, name), 'utf8');
  const parts: Record<string, string> = {
    design: `${await shared('page/design.css')}\n${await shared('page/report.css')}`,
    charts: await shared('page/charts.js'),
    'chart style': await chart('uPlot.min.css'),
    'page style': await own('page.css'),
    'chart library': await chart('uPlot.iife.min.js'),
    // Escaped, so that no text in the data can end the script element.
    data: `const REPORT = ${JSON.stringify(data).replaceAll('<', '\\u003c')};`,
    'page script': await own('page.js'),
  };
  const page = await own('page.html');
  return page.replace(/\/\* ([a-z ]+) \*\//g, (mark, name: string) => parts[name] ?? mark);
}
