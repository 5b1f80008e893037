import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Page } from 'puppeteer-core';
import { afterAll, describe, expect, it } from 'vitest';
import { isInstalled, joinAndCompute, launch, open, textOf } from '../support/browser.js';
import { CountingProxy } from '../support/counting-proxy.js';
import { type Program, start, temporaryFolder } from '../support/process.js';
import { smallData, writeFiles } from '../support/process-data.js';

/* What a tab keeps of a run's data, and how it pauses on battery. */
const ROOT = mkdtempSync(join(tmpdir(), 'unisum-tab-data-'));
const DATA = writeFiles(join(ROOT, 'data'), smallData());
const TIMEOUT_MS = 120_000;

afterAll(() => rmSync(ROOT, { recursive: true }));

/** A run that goes on until the test ends and needs one worker, and its link for tabs. */
async function longRun(
  data: readonly string[] = ['--data', DATA],
): Promise<{ coordinator: Program; url: string }> {
  const words = ['train', ...data, '--batch', 64, '--leaf', 8, '--listen', '127.0.0.1:0', '--workers', 0];
  const options = ['--steps', 10_000_000, '--placement', 'all'];
  const coordinator = start([...words, ...options], temporaryFolder(), { lifeMsMax: TIMEOUT_MS });
  const [, url] = await coordinator.prints(/with a tab of a browser: +(https?:\S+)/);
  return { coordinator, url: url as string };
}

/** Where the chunks of the latest join came from. */
async function origin(page: Page): Promise<Record<'kept' | 'fetched' | 'damaged', number>> {
  const { kept, fetched, damaged } = await page.$eval('#join-data', (element) => ({
    ...(element as HTMLElement).dataset,
  }));
  return { kept: Number(kept), fetched: Number(fetched), damaged: Number(damaged) };
}

/** Does something with the database of the page's origin. */
function changeDatabase(page: Page, change: 'flip-bit' | 'fill' | 'newer-version'): Promise<void> {
  return page.evaluate(
    (what) =>
      new Promise<void>((resolve, reject) => {
        const opening = indexedDB.open('unisum', what === 'newer-version' ? 2 : undefined);
        opening.onerror = () => reject(opening.error);
        opening.onsuccess = () => {
          const database = opening.result;
          const end = (): void => {
            database.close();
            resolve();
          };
          if (what === 'newer-version') return end();
          const transaction = database.transaction(['chunks', 'entries'], 'readwrite');
          transaction.oncomplete = end;
          if (what === 'fill') {
            transaction.objectStore('entries').add({ hash: 'old', bytes: 512 * 2 ** 20 });
            return;
          }
          const cursor = transaction.objectStore('chunks').openCursor();
          cursor.onsuccess = () => {
            const found = cursor.result;
            if (found === null) return;
            const bytes = found.value as Uint8Array;
            bytes[0] = (bytes[0] as number) ^ 1;
            found.update(bytes);
            found.continue();
          };
        };
      }),
    change,
  );
}

/** Keeps all others from the database of the page's origin, for as long as the page is open. */
function holdDatabase(page: Page): Promise<void> {
  return page.evaluate(
    () =>
      new Promise<void>((resolve, reject) => {
        const opening = indexedDB.open('unisum');
        opening.onerror = () => reject(opening.error);
        opening.onsuccess = () => {
          const store = opening.result.transaction('chunks', 'readwrite').objectStore('chunks');
          // A transaction lasts as long as it has something to do.
          const goOn = (): void => {
            resolve();
            store.count().onsuccess = goOn;
          };
          goOn();
        };
      }),
  );
}

async function leave(page: Page): Promise<void> {
  await page.click('#leave');
  await page.waitForSelector('#join-status[data-phase=ended]');
}

describe.skipIf(!isInstalled('Chrome'))(
  'a tab of Chrome, if it is installed',
  { timeout: TIMEOUT_MS },
  () => {
    it('fetches data once, refuses what has changed, and deletes it when its user says so', async () => {
      const { url } = await longRun();
      const page = await open(await launch('Chrome'), url);
      await joinAndCompute(page);
      const first = await origin(page);
      expect(first).toEqual({ kept: 0, fetched: first.fetched, damaged: 0 });
      expect(first.fetched).toBeGreaterThan(0);
      await leave(page);
      const keptBytes = await page
        .waitForSelector('#kept-bytes:not([value="0"])')
        .then((element) => element?.evaluate((data) => (data as HTMLDataElement).value));
      // The document is another one, as after the tab was closed.
      await page.reload();
      await joinAndCompute(page);
      expect(await origin(page)).toEqual({ kept: first.fetched, fetched: 0, damaged: 0 });
      await leave(page);
      await changeDatabase(page, 'flip-bit');
      await joinAndCompute(page);
      expect(await origin(page)).toEqual({ kept: 0, fetched: first.fetched, damaged: first.fetched });
      await leave(page);
      // What was fetched has taken the place of what had changed.
      await joinAndCompute(page);
      expect(await origin(page)).toEqual({ kept: first.fetched, fetched: 0, damaged: 0 });
      await leave(page);
      await page.click('#clear-kept');
      await page.waitForSelector('#kept-bytes[value="0"]');
      // As much as may be kept: it has to go.
      await changeDatabase(page, 'fill');
      await joinAndCompute(page);
      expect(await origin(page)).toEqual(first);
      await page.waitForSelector(`#kept-bytes[value="${keptBytes}"]`);
    });

    it('is sent data compressed over a slow network', async () => {
      // MNIST: 47 MB.
      const { url } = await longRun([]);
      const slow = new URL(url);
      const proxy = await CountingProxy.open(Number(slow.port), 12.5e6);
      slow.port = String(proxy.port);
      const page = await open(await launch('Chrome'), slow.href);
      await joinAndCompute(page);
      const { fetched, damaged } = await origin(page);
      proxy.close();
      expect({ fetched, damaged }).toEqual({ fetched: 46, damaged: 0 });
      expect(proxy.down).toBeLessThan(25e6);
    });

    it('says that it leaves, whatever else it is sending', async () => {
      const { coordinator, url } = await longRun(['overfitting']);
      const slow = new URL(url);
      // Partial sums of this network take a second.
      const proxy = await CountingProxy.open(Number(slow.port), 1e6);
      slow.port = String(proxy.port);
      const page = await open(await launch('Chrome'), slow.href);
      await joinAndCompute(page);
      await leave(page);
      proxy.close();
      await coordinator.prints(/Chrome on Linux left \(left by its user\)/);
    });

    it('keeps nothing where the browser refuses, says so, and computes', async () => {
      const { url } = await longRun();
      const page = await open(await launch('Chrome'), url);
      await page.waitForSelector('#join');
      // The page has opened its own version by then.
      await page.waitForSelector('#kept-bytes');
      await changeDatabase(page, 'newer-version');
      await joinAndCompute(page);
      expect(await textOf(page, '#kept')).toMatch(
        /^This browser keeps no training data for the next time: .*version.*\.$/,
      );
      expect((await origin(page)).fetched).toBeGreaterThan(0);
    });

    it('fetches what another tab keeps it from reading, and says so once', async () => {
      const { url } = await longRun();
      const browser = await launch('Chrome');
      const page = await open(browser, url);
      await joinAndCompute(page);
      const { fetched } = await origin(page);
      await page.waitForSelector('#kept-bytes:not([value="0"])');
      await leave(page);
      const other = await open(browser, url);
      await other.waitForSelector('#kept-bytes');
      await holdDatabase(other);
      await page.bringToFront();
      const reasons = await page.evaluateHandle(() => {
        const seen: string[] = [];
        new MutationObserver(() => {
          const text = document.querySelector('#kept')?.textContent ?? '';
          if (text.includes('did not answer') && text !== seen.at(-1)) seen.push(text);
        }).observe(document.body, { subtree: true, childList: true, characterData: true });
        return seen;
      });
      await joinAndCompute(page);
      expect(await origin(page)).toEqual({ kept: 0, fetched, damaged: 0 });
      expect(await reasons.jsonValue()).toEqual([
        'This browser keeps no training data for the next time: it did not answer within 10 s.',
      ]);
    });

    it('leaves on battery and joins again on mains, if its user wishes', async () => {
      const { coordinator, url } = await longRun();
      const browser = await launch('Chrome');
      const page = await browser.newPage();
      // A machine in a rack has no battery to discharge.
      await page.evaluateOnNewDocument(() => {
        const battery = Object.assign(new EventTarget(), { charging: true });
        Object.assign(navigator, { getBattery: async () => battery });
        addEventListener('power', (event) => {
          battery.charging = (event as CustomEvent<boolean>).detail;
          battery.dispatchEvent(new Event('chargingchange'));
        });
      });
      const power = (isCharging: boolean): Promise<unknown> =>
        page.evaluate((detail) => dispatchEvent(new CustomEvent('power', { detail })), isCharging);
      await page.goto(url);
      await joinAndCompute(page);
      // Not wished: it goes on.
      await power(false);
      expect(await page.$('#join-status[data-phase=working]')).not.toBeNull();
      await page.click('#pause-on-battery');
      await page.waitForSelector('#join-status[data-phase=paused]');
      expect(await textOf(page, '#join-status')).toMatch(/^Paused: this machine runs on battery/);
      await coordinator.prints(/Chrome on Linux left \(left by its user\)/);
      await power(true);
      await page.waitForSelector('#join-status[data-phase=working]');
      await coordinator.prints(/left \(left by its user\)[\s\S]*Chrome on Linux joined/);
      await power(false);
      await page.waitForSelector('#join-status[data-phase=paused]');
      // One who leaves while it is paused is not brought back.
      await leave(page);
      await power(true);
      expect(await textOf(page, '#join-status')).toBe('Done: left by its user');
      // The wish outlasts the page: it waits for the mains.
      await page.reload();
      await page.waitForSelector('#pause-on-battery:checked');
      await power(false);
      await page.click('#join');
      await page.waitForSelector('#join-status[data-phase=paused]');
      await power(true);
      await page.waitForSelector('#join-status[data-phase=working]');
    });
  },
);

describe('the scripts of the page', () => {
  const bytesOf = (...files: string[]): number =>
    files.reduce((sum, file) => sum + readFileSync(join('dist', 'web', `${file}.js.gz`)).byteLength, 0);

  it('are small: 60 kB for those who watch, 115 kB more for a tab with threads', () => {
    expect(bytesOf('page/main')).toBeLessThanOrEqual(60_000);
    const joining = ['page/joining', 'worker/link-worker', 'worker/compute-thread', 'worker/sleeper'];
    expect(bytesOf(...joining)).toBeLessThanOrEqual(115_000);
  });
});
