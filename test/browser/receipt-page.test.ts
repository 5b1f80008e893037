import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { ElementHandle, Page } from 'puppeteer-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Receipt } from '../../trainer/receipt/receipt-format.js';
import { seriousFindings } from '../support/axe.js';
import { isInstalled, launch, open, textOf, waitFor } from '../support/browser.js';
import { start } from '../support/process.js';
import { smallData, writeFiles } from '../support/process-data.js';
import { programHere } from '../support/program-here.js';
import { remakeRun } from '../support/remade-run.js';
import { checksOr } from '../support/thoroughness.js';

/* The page checks receipts: it computes a stretch of the run again in the tab. */
const ROOT = mkdtempSync(join(tmpdir(), 'unisum-receipt-page-'));
const DATA = writeFiles(join(ROOT, 'data'), smallData());
const OTHER_HASH = '1'.repeat(64);
const TIMEOUT_MS = 120_000;

afterAll(() => rmSync(ROOT, { recursive: true }));

async function status(page: Page, phase: 'proven' | 'refused' | 'opened'): Promise<string> {
  await waitFor(page, `#receipt-status[data-phase=${phase}]`, '#receipt-status');
  return textOf(page, '#receipt-status');
}

for (const name of checksOr(['Chrome', 'Firefox'] as const, (one) => one === 'Chrome'))
  describe.skipIf(!isInstalled(name))(
    `a receipt in a tab of ${name}, if it is installed`,
    { timeout: TIMEOUT_MS },
    () => {
      let receipt: Receipt;
      const openPage = async (): Promise<Page> => {
        const [url] = await start(['view', join(ROOT, name)]).prints(/http:\S+/);
        return open(await launch(name), url);
      };
      beforeAll(async () => {
        const words = ['mnist-cnn', '--data', DATA, '--batch', 8, '--leaf', 4, '--steps', 12, '--workers', 1];
        expect(await programHere(ROOT, 'train', ...words, '--run-dir', `${name}-trained`)).toMatchObject({
          status: 0,
        });
        await remakeRun(join(ROOT, `${name}-trained`), join(ROOT, name), [0, 4, 8, 12]);
        expect(await programHere(ROOT, 'receipt', name, '--out', `${name}.json`)).toMatchObject({
          status: 0,
        });
        receipt = JSON.parse(readFileSync(join(ROOT, `${name}.json`), 'utf8')) as Receipt;
      }, TIMEOUT_MS);

      it('is proven by a stretch, with the states of Node, and says what is not proven', async () => {
        const page = await openPage();
        await page.waitForSelector('#receipt-own');
        await page.click('#receipt-own');
        await status(page, 'opened');
        await page.select('#receipt-from', '4');
        await page.select('#receipt-to', '12');
        await page.click('#receipt-check');
        expect(await status(page, 'proven')).toBe(
          'What was computed again is as the receipt says: steps 5 to 12.',
        );
        const proven = await textOf(page, '#receipt-proven');
        expect(proven).toContain('steps 5 to 12 of 12 were computed again from the state of step 4');
        expect(proven).toContain('2 states on the way, weights and all else, have the SHA-256');
        expect(proven).toContain('the final weights have the SHA-256 that the receipt names');
        const notProven = await textOf(page, '#receipt-not-proven');
        expect(notProven).toContain('steps 1 to 4: they were not computed');
        expect(notProven).toContain('how the state of step 4 came about');
        if (name === 'Chrome') expect(await seriousFindings(page)).toEqual([]);
      });

      // One browser is enough: what compares is the same.
      it.skipIf(name === 'Firefox')('is refused where it is forged', async () => {
        const page = await openPage();
        const input = (await page.waitForSelector('#receipt-file')) as ElementHandle<HTMLInputElement>;
        let files = 0;
        const forged = async (text: string, from?: string): Promise<string> => {
          files += 1;
          const file = join(ROOT, `forged-${files}.json`);
          writeFileSync(file, text);
          await input.uploadFile(file);
          if (from === undefined) return status(page, 'refused');
          await status(page, 'opened');
          await page.select('#receipt-from', from);
          await page.select('#receipt-to', '12');
          await page.click('#receipt-check');
          return status(page, 'refused');
        };
        const altered = (alter: (copy: Receipt) => void): string => {
          const copy = structuredClone(receipt);
          alter(copy);
          return JSON.stringify(copy);
        };
        expect(await forged('{}')).toMatch(/^Not proven: forged-1\.json is no receipt/);
        const end = altered(({ end }) => Object.assign(end, { weightsSha256: OTHER_HASH }));
        expect(await forged(end, '8')).toContain(
          `Not proven: the run differs at step 12: the final weights have the SHA-256 ${receipt.end.weightsSha256}, and the receipt says ${OTHER_HASH}`,
        );
        const state = altered(({ states }) => Object.assign(states[1]!, { sha256: OTHER_HASH }));
        expect(await forged(state, '0')).toContain('the run differs at step 4: its state has the SHA-256');
        expect(await forged(state, '4')).toContain('the state of step 4 that was given is not the one');
        const rate = altered(({ sessions }) => Object.assign(sessions[0]!.settings, { learningRate: 0.5 }));
        expect(await forged(rate, '0')).toContain('the run differs at step 4: its weights have the SHA-256');
        const network = altered(({ sessions }) =>
          Object.assign(sessions[0]!.settings, { model: OTHER_HASH }),
        );
        expect(await forged(network, '0')).toContain('what was given is not what the receipt names: model');
      });
    },
  );
