import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { describe, expect, it } from 'vitest';
import type { ScalingResult } from '../../scripts/bench/scaling-bench.js';
import { SMALL_NETS } from '../../scripts/reports/explain/nets.js';
import { walkStep } from '../../scripts/reports/explain/walk.js';
import { fillPage } from '../../scripts/reports/page.js';
import { scalingReport } from '../../scripts/reports/scaling/report.js';
import { seriousFindings } from '../support/axe.js';
import { isInstalled, LOOKS, launch, look, open } from '../support/browser.js';
import { temporaryFolder } from '../support/process.js';

/* The reports have one design with the live pages: on dark ground, on a phone, by keyboard. */
const folderOf = (name: string): URL => new URL(`../../scripts/reports/${name}/page/`, import.meta.url);

const PAGES: Readonly<Record<string, () => Promise<string>>> = {
  explain: async () => {
    const walk = await walkStep(SMALL_NETS[0]!, { seed: 0, learningRate: 0.5, step: 1, backend: 'wasm' });
    return fillPage(folderOf('explain'), walk);
  },
  'lr-find': () => {
    const points = Array.from({ length: 40 }, (_, i) => {
      const rate = 1e-5 * 1.3 ** i;
      return { rate, loss: 2.3 - i / 30, smoothed: 2.3 - i / 32 };
    });
    return fillPage(folderOf('lr-find'), { recipe: 'mnist-mlp', batch: 128, suggestedLr: 0.01, points });
  },
  gradients: () => {
    const layers = ['dense1', 'dense2'].map((name, i) => ({
      ...{ name, op: 'dense', activation: 0.5, error: 10 ** -i, deadUnits: 0.1 * i },
      parameters: [{ name: `${name}.kernel`, weightNorm: 3, gradientNorm: 0.1 ** i, updateRatio: 0.001 }],
    }));
    const inspections = [0, 10, 20].map((step) => ({ step, samples: 64, layers }));
    return fillPage(folderOf('gradients'), {
      ...{ recipe: 'mnist-mlp', inspections, problems: ['step 1: the error terms vanish towards the input'] },
    });
  },
  scaling: () => {
    const results = [1, 2, 4].map(
      (workers): ScalingResult => ({
        ...{ workload: 'mnist-mlp', mode: 'strong', spread: 'workers', exchange: 'step', backend: 'native' },
        ...{ workers, oversubscribed: workers > 2, batch: 512, speedUp: workers, efficiency: 1, noise: 0.02 },
        ...{ usPerStep: 500 / workers, fastestUsPerStep: 490 / workers, slowestUsPerStep: 500 / workers },
      }),
    );
    const report = { title: 'Unisum: scaling', machine: 'a machine with 2 cores', peer: undefined };
    return scalingReport({ ...report, results });
  },
};

describe.skipIf(!isInstalled('Chrome'))('the page of a report, if Chromium is installed', () => {
  it('has no serious finding of axe-core and fits a phone, light and dark', async () => {
    const browser = await launch('Chrome');
    const folder = temporaryFolder();
    for (const [name, make] of Object.entries(PAGES)) {
      const file = join(folder, `${name}.html`);
      writeFileSync(file, await make());
      const page = await open(browser, pathToFileURL(file).href);
      await page.waitForSelector(name === 'explain' ? '#stage svg' : 'canvas');
      for (const one of LOOKS) {
        await look(page, one);
        expect(await seriousFindings(page), `${name}, ${one.scheme}`).toEqual([]);
        expect(await page.evaluate(() => document.documentElement.scrollWidth)).toBeLessThanOrEqual(
          one.width,
        );
      }
    }
  });
});
