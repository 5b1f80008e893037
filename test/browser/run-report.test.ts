import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { expect, it } from 'vitest';
import { listPage, pageLinks, writePage, writeRunReport } from '../../scripts/reports/run/report.js';
import { readRuns } from '../../scripts/run-records/run-list.js';
import { begun, ended, evaluation, step, writeRun } from '../scripts/run-records/run-folders.js';
import { seriousFindings } from '../support/axe.js';
import { isInstalled, LOOKS, launch, look, open } from '../support/browser.js';
import { temporaryFolder } from '../support/process.js';

it.skipIf(!isInstalled('Chrome'))(
  'the page of a run draws its charts, light and dark, on a phone too, without a serious finding of axe-core',
  async () => {
    const steps = Array.from({ length: 100 }, (_, i) => step(i + 1, 1 / (i + 1)));
    const lines = [begun({ steps: 100 }), ...steps, evaluation(100, 0.5), ended(100, 'finished', 'a')];
    const path = await writeRun(temporaryFolder(), 'run', lines);
    const page = await open(await launch('Chrome'), pathToFileURL(join(await writeRunReport(path))).href);
    for (const one of LOOKS) {
      await look(page, one);
      await page.waitForFunction(() => document.querySelectorAll('canvas').length === 3);
      expect(await seriousFindings(page), one.scheme).toEqual([]);
      expect(await page.evaluate(() => document.documentElement.scrollWidth)).toBeLessThanOrEqual(one.width);
    }
  },
);

it.skipIf(!isInstalled('Chrome'))('the page of a folder of runs sorts its rows, up and down', async () => {
  const folder = temporaryFolder();
  for (const [name, loss] of [
    ['a', 10],
    ['b', 9],
  ] as const) {
    const lines = [begun(), step(1, 1), evaluation(1, loss), ended(1, 'finished', name)];
    await writeRun(folder, name, lines);
  }
  await writeRun(folder, 'c', [begun(), step(1, 1)]);
  await writeRunReport(join(folder, 'a'));
  const file = join(folder, 'runs.html');
  const list = await readRuns(folder);
  await writePage(file, listPage(folder, list, await pageLinks(list.runs, file)));
  const page = await open(await launch('Chrome'), pathToFileURL(file).href);
  // The one run that has a page of its own leads to it.
  expect(
    await page.$$eval('tbody a', (links) =>
      links.map((link) => [link.textContent, link.getAttribute('href')]),
    ),
  ).toEqual([['a', 'a/run.html']]);
  const click = (heading: string): Promise<string[]> =>
    page.evaluate((text) => {
      [...document.querySelectorAll<HTMLElement>('th button')]
        .find((button) => button.textContent === text)
        ?.click();
      return [...(document.querySelector<HTMLTableSectionElement>('.scroll tbody')?.rows ?? [])].map(
        (row) => row.cells[0]?.textContent ?? '',
      );
    }, heading);
  // As numbers, 9 comes before 10; a run without one comes last either way.
  expect(await click('testLoss')).toEqual(['b', 'a', 'c']);
  expect(await click('testLoss')).toEqual(['a', 'b', 'c']);
  expect(await click('run')).toEqual(['a', 'b', 'c']);
  expect(await click('run')).toEqual(['c', 'b', 'a']);
  expect(await page.$$eval('[aria-sort]', (cells) => cells.map((cell) => cell.textContent))).toEqual(['run']);
  for (const one of LOOKS) {
    await look(page, one);
    expect(await seriousFindings(page), one.scheme).toEqual([]);
    expect(await page.evaluate(() => document.documentElement.scrollWidth)).toBeLessThanOrEqual(one.width);
  }
});
