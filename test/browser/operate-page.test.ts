import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Page } from 'puppeteer-core';
import { afterAll, describe, expect, it } from 'vitest';
import { qrCode } from '../../web/page/qr-code.js';
import { seriousFindings } from '../support/axe.js';
import { isInstalled, LOOKS, launch, look, open, textOf } from '../support/browser.js';
import { start } from '../support/process.js';
import { smallData, writeFiles } from '../support/process-data.js';
import { TestWorker } from '../support/test-worker.js';

/* The page of a run for its operator: the members, the tree, the layers, test images. */
const ROOT = mkdtempSync(join(tmpdir(), 'unisum-operate-page-'));
const DATA = writeFiles(join(ROOT, 'data'), smallData());
const RUN = ['train', '--batch', 64, '--leaf', 8, '--json', '--data', DATA, '--listen', '127.0.0.1:0'];
const TIMEOUT_MS = 120_000;
/** What a member must not be able to put on a page or a terminal. */
const HOSTILE = '<img src=x onerror=document.title=1><b>eve\u001b[31m';

afterAll(() => rmSync(ROOT, { recursive: true }));

/** More than bring the last column of the narrowest screen into sight. */
const PRESSES_MAX = 500;

/** Expects every column of the members in sight on a desktop, and within reach of the keyboard on all smaller screens. */
async function showsAllMembers(page: Page): Promise<void> {
  const frame = await page.waitForSelector('.scroll:has(#members)');
  const hidden = () => frame?.evaluate((element) => element.scrollWidth - element.clientWidth);
  for (const width of [1920, 1280]) {
    await page.setViewport({ width, height: 844 });
    expect(await hidden(), `at ${width} pixels`).toBe(0);
  }
  for (let width = 1200; width >= 320; width -= 80) {
    await page.setViewport({ width, height: 844 });
    await frame?.focus();
    // Scrolled widths are rounded.
    const isAtEnd = () =>
      frame?.evaluate(
        ({ scrollLeft, clientWidth, scrollWidth }) => scrollLeft + clientWidth >= scrollWidth - 1,
      );
    // Each press goes on by some pixels, in the next frames.
    for (let press = 0; press < PRESSES_MAX && !(await isAtEnd()); press++) {
      await page.keyboard.press('ArrowRight');
      await page.evaluate(() => new Promise(requestAnimationFrame));
    }
    expect(await isAtEnd(), `at ${width} pixels`).toBe(true);
    await frame?.evaluate((element) => element.scrollTo({ left: 0 }));
  }
}

describe.skipIf(!isInstalled('Chrome'))('the page of an operator, if Chromium is installed', () => {
  it(
    'shows who computes what, whatever they are called, without a serious finding of axe-core',
    async () => {
      const options = [
        '--steps',
        10_000_000,
        '--workers',
        1,
        '--placement',
        'all',
        '--inspect-gradients',
        50,
      ];
      const coordinator = start([...RUN, ...options]);
      const [, url = ''] = await coordinator.prints(/\n {2}or in a browser: +(\S+)/);
      // Its own program would refuse such a name.
      const worker = await TestWorker.join(await coordinator.joinUrl(), HOSTILE, (inner) => inner);
      const page = await open(await launch('Chrome'), url);
      await page.waitForSelector('[data-member^=remote]');
      // The run evaluates a thousand times a second, and each evaluation has new answers for its operator.
      await page.evaluate(() => {
        const status = document.querySelector('#run-status') as HTMLElement;
        const seen = new MutationObserver(() => {
          document.body.dataset.statuses = `${document.body.dataset.statuses ?? ''} ${status.dataset.status}`;
        });
        seen.observe(status, { attributeFilter: ['data-status'] });
      });
      for (const selector of [
        '#sum-tree rect',
        '#layers tbody tr',
        '#gradient-chart .u-over',
        '#examples canvas',
      ])
        await page.waitForSelector(selector);
      const row = await textOf(page, '[data-member^=remote]');
      expect(row).toContain('<img src=x onerror=document.title=1><b>eve [31m');
      expect(await page.$$('#page img, #page b')).toEqual([]);
      // Where it comes from is told to operators.
      expect(row).toContain('127.0.0.1');
      // Whoever operates may invite.
      const [, tab = ''] = await coordinator.prints(/with a tab of a browser: +(\S+)/);
      await page.click('#invite');
      await page.waitForSelector('#invite-code path');
      expect(await textOf(page, '#invite-link')).toBe(tab);
      const { size, path } = qrCode(tab);
      expect(await page.$eval('#invite-code path', (dark) => dark.getAttribute('d'))).toBe(path);
      expect(size).toBeGreaterThan(20);
      // By keyboard. The button keeps the focus while what it does changes.
      await page.focus('#pause');
      await page.keyboard.press('Enter');
      await page.waitForSelector('#resume');
      await page.keyboard.press('Enter');
      await page.waitForSelector('#pause');
      await showsAllMembers(page);
      for (const one of LOOKS) {
        await look(page, one);
        expect(await seriousFindings(page)).toEqual([]);
        const overflow = await page.evaluate(() => document.documentElement.scrollWidth - innerWidth);
        expect(overflow).toBeLessThanOrEqual(0);
      }
      expect(await page.evaluate(() => document.body.dataset.statuses)).toBeUndefined();
      await worker.leave();
    },
    TIMEOUT_MS,
  );
});
