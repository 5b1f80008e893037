import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Page } from 'puppeteer-core';
import { describe, expect, it } from 'vitest';
import { isInstalled, joinAndCompute, launch, open, textOf } from '../support/browser.js';
import { leave, origin, pageUrl, startLong, TIMEOUT_MS } from '../support/tab-run.js';

/* What a tab keeps of a run's data, and how it pauses on battery. What takes long is in `long`. */

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

describe.skipIf(!isInstalled('Chrome'))(
  'a tab of Chrome, if it is installed',
  { timeout: TIMEOUT_MS },
  () => {
    it('fetches data once, refuses what has changed, and deletes it when its user says so', async () => {
      const url = await pageUrl(startLong(1));
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

    it('keeps nothing where the browser refuses, says so, and computes', async () => {
      const url = await pageUrl(startLong(1));
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

    it('leaves on battery and joins again on mains, if its user wishes', async () => {
      const coordinator = startLong(1);
      const url = await pageUrl(coordinator);
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
