import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Page } from 'puppeteer-core';
import { afterAll, describe, expect, it } from 'vitest';
import type { TrainResult } from '../../trainer/result.js';
import { seriousFindings } from '../support/axe.js';
import { isInstalled, LOOKS, launch, look, open, textOf } from '../support/browser.js';
import { start } from '../support/process.js';
import { smallData, writeFiles } from '../support/process-data.js';

/* The page of a run: what its links show and permit, and whom it shuts out. */
const ROOT = mkdtempSync(join(tmpdir(), 'unisum-run-page-'));
const DATA = writeFiles(join(ROOT, 'data'), smallData());
const RUN = ['train', '--batch', 64, '--leaf', 8, '--json', '--data', DATA, '--listen', '127.0.0.1:0'];
const TIMEOUT_MS = 120_000;

afterAll(() => rmSync(ROOT, { recursive: true }));

/** A run that goes on until Ctrl-C, and its links for browsers. */
async function longRun() {
  const coordinator = start([...RUN, '--steps', 10_000_000, '--workers', 1]);
  const [, join = ''] = await coordinator.prints(/with a tab of a browser: +(\S+)/);
  const [, watch = ''] = await coordinator.prints(/open it in a browser: +(\S+)/);
  return { coordinator, join, watch };
}

/** Resolves when the page shows the run's progress. */
async function showsProgress(page: Page): Promise<void> {
  await page.waitForSelector('#run-step');
  await page.waitForSelector('.chart .u-over');
}

describe.skipIf(!isInstalled('Chrome'))('the page, if Chromium is installed', { timeout: TIMEOUT_MS }, () => {
  it('hides its token, and keeps it over a reload', async () => {
    const { join } = await longRun();
    const page = await open(await launch('Chrome'), join);
    await page.waitForSelector('#join');
    const token = new URL(join).hash.slice(1);
    expect(page.url()).toBe(new URL('/', join).href);
    expect(await page.evaluate(() => document.documentElement.outerHTML)).not.toContain(token);
    await page.reload();
    await page.waitForSelector('#join');
    await showsProgress(page);
  });

  it('frees the memory of each message at once, as a hidden page collects garbage every few steps otherwise', async () => {
    const { watch } = await longRun();
    const page = await (await launch('Chrome')).newPage();
    await page.evaluateOnNewDocument(() => {
      const received: ArrayBuffer[] = [];
      Object.assign(globalThis, { received });
      class Recorded extends WebSocket {
        constructor(...options: ConstructorParameters<typeof WebSocket>) {
          super(...options);
          this.addEventListener('message', ({ data }) => received.push(data));
        }
      }
      globalThis.WebSocket = Recorded;
    });
    await page.goto(watch);
    await showsProgress(page);
    const kept = await page.evaluate(() => {
      const { received } = globalThis as unknown as { received: ArrayBuffer[] };
      return {
        messages: received.length,
        bytes: received.reduce((sum, { byteLength }) => sum + byteLength, 0),
      };
    });
    expect(kept.messages).toBeGreaterThan(2);
    expect(kept.bytes).toBe(0);
  });

  it('only watches with a link for watching, and says so without a token', async () => {
    const { coordinator, watch } = await longRun();
    const browser = await launch('Chrome');
    const page = await open(browser, watch);
    await showsProgress(page);
    expect(await page.$('#join')).toBeNull();
    expect(await page.$('#invite')).toBeNull();
    const other = await open(browser, new URL('/', watch).href);
    expect(await textOf(other, '[role=alert]')).toContain('This link has no token');
    // A hidden page is not drawn.
    await page.bringToFront();
    coordinator.signal('SIGINT');
    const { stdout } = await coordinator.ended;
    await page.waitForSelector('#weights-hash');
    expect(await textOf(page, '#weights-hash')).toBe((JSON.parse(stdout) as TrainResult).weightsSha256);
  });

  it('has no serious finding of axe-core, and shows a latecomer the evaluations from before it came', async () => {
    const { coordinator, join } = await longRun();
    await coordinator.prints(/epoch 1: [\s\S]*epoch 2: [\s\S]*epoch 3: /);
    const page = await open(await launch('Chrome'), join);
    await page.waitForSelector('tbody tr:nth-child(3)');
    for (const one of LOOKS) {
      await look(page, one);
      await showsProgress(page);
      expect(await seriousFindings(page)).toEqual([]);
      const overflow = await page.evaluate(() => document.documentElement.scrollWidth - innerWidth);
      expect(overflow).toBeLessThanOrEqual(0);
    }
  });
});
