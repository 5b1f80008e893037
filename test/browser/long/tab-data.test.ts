import type { Page } from 'puppeteer-core';
import { describe, expect, it } from 'vitest';
import { isInstalled, joinAndCompute, launch, open } from '../../support/browser.js';
import { CountingProxy } from '../../support/counting-proxy.js';
import { leave, origin, pageUrl, startLong, TIMEOUT_MS } from '../../support/tab-run.js';

/* How a tab gets and keeps data over a slow network, and beside another tab. */

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

describe.skipIf(!isInstalled('Chrome'))(
  'a tab of Chrome, if it is installed',
  { timeout: TIMEOUT_MS },
  () => {
    it('is sent data compressed over a slow network', async () => {
      // MNIST: 47 MB.
      const url = await pageUrl(startLong(1, [], []));
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
      const coordinator = startLong(1, [], ['overfitting']);
      const url = await pageUrl(coordinator);
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

    it('fetches what another tab keeps it from reading, and says so once', async () => {
      const url = await pageUrl(startLong(1));
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
  },
);
