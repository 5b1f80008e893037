import { describe, expect, it } from 'vitest';
import { parseJoinUrl } from '../../shared/protocol/join-url.js';
import { isInstalled, joinAndCompute, launch, open, textOf } from '../support/browser.js';
import { startPathProxy } from '../support/path-proxy.js';
import { start } from '../support/process.js';
import {
  expectNodesWeights,
  joined,
  openNotIsolated,
  pageUrl,
  startLong,
  TIMEOUT_MS,
} from '../support/tab-run.js';
import { checksOr } from '../support/thoroughness.js';

/* Tabs of real browsers as workers of real runs. What takes long is in `long`. */

// The other tests ask for nothing in which browsers differ.
for (const name of checksOr(['Chrome', 'Firefox'] as const, (one) => one === 'Chrome')) {
  describe.skipIf(!isInstalled(name))(`a tab of ${name}, if it is installed`, { timeout: TIMEOUT_MS }, () => {
    it('joins, leaves when its user says so, and joins again with the other build', async () => {
      const coordinator = startLong(1);
      const page = await open(await launch(name), await pageUrl(coordinator));
      await joinAndCompute(page);
      // Firefox before version 145 has no relaxed SIMD, and takes the exact build.
      await coordinator.prints(joined(name, 'wasm(?:-exact)?'));
      await page.click('#leave');
      await page.waitForSelector('#join-status[data-phase=ended]');
      expect(await textOf(page, '#join-status')).toMatch(/^Done: /);
      await coordinator.prints(new RegExp(`${name} on Linux left`));
      await joinAndCompute(page, 'wasm-exact');
      await coordinator.prints(joined(name, 'wasm-exact'));
      await expectNodesWeights(coordinator);
    });
  });
}

describe.skipIf(!isInstalled('Chrome'))(
  'a tab of Chrome, if it is installed',
  { timeout: TIMEOUT_MS },
  () => {
    it('leaves when its page is closed, and its work is given to others at once', async () => {
      const coordinator = startLong(2);
      start(['worker', await coordinator.joinUrl(), '--name', 'one']);
      const page = await open(await launch('Chrome'), await pageUrl(coordinator));
      await joinAndCompute(page);
      await page.close();
      await coordinator.prints(/Chrome on Linux left \(left by its user\)/);
      await expectNodesWeights(coordinator);
    });

    it('joins through a proxy below a path, which is believed for whom it connects', async () => {
      const proxy = await startPathProxy('/unisum', '192.0.2.7');
      const coordinator = startLong(1, ['--public-url', proxy.url, '--trust-proxy', '127.0.0.1']);
      const [, operate = ''] = await coordinator.prints(/\n {2}or in a browser: +(\S+)/);
      const url = await pageUrl(coordinator);
      expect([url, operate].every((link) => link.startsWith(`${proxy.url}/`))).toBe(true);
      proxy.port = parseJoinUrl(await coordinator.joinUrl()).port;
      const browser = await launch('Chrome');
      await joinAndCompute(await open(browser, url));
      const operator = await open(browser, operate);
      await operator.waitForSelector('[data-member^=remote]');
      expect(await textOf(operator, '[data-member^=remote]')).toContain('from 192.0.2.7');
      await expectNodesWeights(coordinator);
    });

    it('computes with two threads over TLS, after its user has accepted the certificate', async () => {
      const coordinator = startLong(1, ['--tls']);
      const url = await pageUrl(coordinator);
      expect(url).toMatch(/^https:/);
      const page = await open(await launch('Chrome'), url);
      expect(await page.evaluate(() => crossOriginIsolated)).toBe(true);
      await page.waitForSelector('#threads');
      await page.$eval('#threads', (field) => {
        (field as HTMLInputElement).value = '2';
        field.dispatchEvent(new Event('change'));
      });
      await joinAndCompute(page);
      expect(await textOf(page, '#join-status')).toContain('2 threads, wasm (relaxed-simd)');
      await expectNodesWeights(coordinator);
    });

    it('computes where the page is not isolated', async () => {
      const coordinator = startLong(1);
      const page = await openNotIsolated(await pageUrl(coordinator));
      await joinAndCompute(page);
      await expectNodesWeights(coordinator);
    });
  },
);
