import { readFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import type { ScalingResult } from './scaling-bench.js';

/** What a report shows. */
export interface ScalingReport {
  readonly title: string;
  /** The machine in one line. */
  readonly machine: string;
  readonly peer: string | undefined;
  readonly results: readonly ScalingResult[];
}

/** A scaling benchmark as one page that needs nothing else: charts, library and figures are in it. */
export async function scalingReport(report: ScalingReport): Promise<string> {
  const library = dirname(createRequire(import.meta.url).resolve('uplot'));
  const own = (name: string): Promise<string> =>
    readFile(new URL(`./report/${name}`, import.meta.url), 'utf8');
  const parts: Record<string, string> = {
    'chart style': await readFile(join(library, 'uPlot.min.css'), 'utf8'),
    'page style': await own('page.css'),
    'chart library': await readFile(join(library, 'uPlot.iife.min.js'), 'utf8'),
    // No text in the data may end the element that it stands in.
    data: `const REPORT = ${JSON.stringify(report).replaceAll('<', '\\u003c')};`,
    'page script': await own('page.js'),
  };
  const page = await own('page.html');
  return page.replace(/\/\* ([a-z ]+) \*\//g, (mark, name: string) => parts[name] ?? mark);
}
