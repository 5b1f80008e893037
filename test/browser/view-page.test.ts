import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { seriousFindings } from '../support/axe.js';
import { isInstalled, LOOKS, launch, look, open, textOf } from '../support/browser.js';
import { run, start } from '../support/process.js';
import { smallData, writeFiles } from '../support/process-data.js';

/* The page that travels through a run. */
const ROOT = mkdtempSync(join(tmpdir(), 'unisum-view-page-'));
const DATA = writeFiles(join(ROOT, 'data'), smallData());
const RUN = join(ROOT, 'r');
const TIMEOUT_MS = 120_000;

afterAll(() => rmSync(ROOT, { recursive: true }));

describe.skipIf(!isInstalled('Chrome'))("the page of a run's steps, if Chromium is installed", () => {
  it(
    'goes to a step, shows the numbers of a chosen layer and neuron, compares and plays',
    async () => {
      const words = [
        'mnist-mlp',
        '--data',
        DATA,
        '--batch',
        64,
        '--leaf',
        8,
        '--steps',
        12,
        '--workers',
        1,
        '--json',
      ];
      const trained = await run('train', ...words, '--run-dir', RUN);
      expect(trained.status, trained.stderr).toBe(0);
      const { weightsSha256 } = JSON.parse(trained.stdout.trim().split('\n').at(-1) as string) as {
        weightsSha256: string;
      };
      const server = start(['view', RUN]);
      const [url] = await server.prints(/http:\S+/);
      const page = await open(await launch('Chrome'), url);
      const ready = (step: number) =>
        page.waitForFunction(
          (text) => {
            const status = document.querySelector('#status[data-state=ready]');
            return status?.textContent?.trim() === text;
          },
          {},
          `Step ${step} of 12.`,
        );
      await ready(0);
      // Forward by keyboard, then another layer and neuron.
      await page.focus('#forward');
      await page.keyboard.press('Enter');
      await ready(1);
      const layers = await page.$$eval('#layer option', (options) =>
        options.map(({ value, textContent }) => ({ value, textContent })),
      );
      const dense = layers.filter(({ textContent }) => textContent?.endsWith('(dense)'));
      await page.select('#layer', dense[1]?.value as string);
      await page.waitForFunction(
        (name) => document.querySelector('#neuron-title')?.textContent?.startsWith(`${name} (dense), unit 0`),
        {},
        dense[1]?.value,
      );
      await page.$eval('#unit', (input) => {
        (input as HTMLInputElement).value = '7';
        input.dispatchEvent(new Event('change'));
      });
      await page.waitForFunction(() =>
        document.querySelector('#neuron-title')?.textContent?.includes('unit 7, in step 2'),
      );
      // The numbers are those of the server.
      const shown = await page.$$eval('#numbers td', (cells) =>
        cells.map(({ textContent }) => Number(textContent)),
      );
      const { hash, origin } = new URL(url);
      const sample = 0;
      const query = new URLSearchParams({
        step: '1',
        sample: String(sample),
        layer: dense[1]?.value as string,
        unit: '7',
      });
      const answer = await fetch(`${origin}/view/neuron.json?${query}`, {
        headers: { authorization: `Bearer ${hash.slice(1)}` },
      });
      const { z, y, delta } = (await answer.json()) as { z: number[]; y: number[]; delta: number[] };
      expect(shown.map(Math.fround)).toEqual([z[0], y[0], delta[0]]);
      expect(await page.$$('table.weights tbody tr')).not.toHaveLength(0);
      await page.$eval('#other', (input) => {
        (input as HTMLInputElement).value = '5';
        input.dispatchEvent(new Event('change'));
      });
      await page.waitForSelector('#distances tbody tr');
      for (const one of LOOKS) {
        await look(page, one);
        expect(await seriousFindings(page)).toEqual([]);
        const overflow = await page.evaluate(() => document.documentElement.scrollWidth - innerWidth);
        expect(overflow).toBeLessThanOrEqual(0);
      }
      // It plays up to the end, whose weights are those of the run.
      await page.click('#play');
      await ready(12);
      expect(await textOf(page, '#weights-hash')).toBe(weightsSha256);
      expect(await textOf(page, '#recorded')).toBe('As recorded.');
      expect(await page.evaluate(() => location.hash)).toBe('');
      // A step that is not there becomes the last one, which is shown already.
      await page.$eval('#step', (input) => {
        (input as HTMLInputElement).value = '99';
        input.dispatchEvent(new Event('change'));
      });
      await ready(12);
      expect(await page.$eval('#step', (input) => (input as HTMLInputElement).value)).toBe('12');
      // It follows a run that goes on.
      expect(await page.$$eval('#reports a', (links) => links.map(({ textContent }) => textContent))).toEqual(
        ['run'],
      );
      await page.click('#follow');
      const resumed = await run('train', '--resume', RUN, '--steps', 15, '--workers', 1);
      expect(resumed.status, resumed.stderr).toBe(0);
      await page.waitForFunction(
        () => document.querySelector('#status[data-state=ready]')?.textContent?.trim() === 'Step 15 of 15.',
      );
      server.signal('SIGINT');
      await server.ended;
    },
    TIMEOUT_MS,
  );
});
