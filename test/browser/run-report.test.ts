import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { expect, it } from 'vitest';
import { writeRunReport } from '../../scripts/reports/run/report.js';
import { begun, ended, evaluation, step, writeRun } from '../scripts/run-records/run-folders.js';
import { seriousFindings } from '../support/axe.js';
import { isInstalled, launch, open } from '../support/browser.js';
import { temporaryFolder } from '../support/process.js';

it.skipIf(!isInstalled('Chrome'))(
  'the page of a run draws its charts, light and dark, on a phone too, without a serious finding of axe-core',
  async () => {
    const steps = Array.from({ length: 100 }, (_, i) => step(i + 1, 1 / (i + 1)));
    const lines = [begun({ steps: 100 }), ...steps, evaluation(100, 0.5), ended(100, 'finished', 'a')];
    const path = await writeRun(temporaryFolder(), 'run', lines);
    const page = await open(await launch('Chrome'), pathToFileURL(join(await writeRunReport(path))).href);
    for (const scheme of ['light', 'dark']) {
      await page.emulateMediaFeatures([{ name: 'prefers-color-scheme', value: scheme }]);
      for (const width of [1280, 390]) {
        await page.setViewport({ width, height: 800 });
        await page.waitForFunction(() => document.querySelectorAll('canvas').length === 3);
        expect(await seriousFindings(page), `${scheme}, ${width}`).toEqual([]);
        expect(await page.evaluate(() => document.documentElement.scrollWidth)).toBeLessThanOrEqual(width);
      }
    }
  },
);
