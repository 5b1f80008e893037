import { describe, it } from 'vitest';
import { isInstalled, joinAndCompute } from '../../support/browser.js';
import {
  expectNodesWeights,
  freezeAndThaw,
  killAndReplace,
  openNotIsolated,
  pageUrl,
  startLong,
  TIMEOUT_MS,
} from '../../support/tab-run.js';

/* What happens to tabs, and what they do in further builds and modes. */

for (const name of ['Chrome', 'Firefox'] as const) {
  describe.skipIf(!isInstalled(name))(`a tab of ${name}, if it is installed`, { timeout: TIMEOUT_MS }, () => {
    it('joins beside two workers of Node, is killed, and another joins', () => killAndReplace(name));

    it('is dropped while it is frozen, and is back when it is thawed', () => freezeAndThaw(name));
  });
}

describe.skipIf(!isInstalled('Chrome'))(
  'a tab of Chrome, if it is installed',
  { timeout: TIMEOUT_MS },
  () => {
    it('computes without relaxed SIMD where the page is not isolated', async () => {
      const coordinator = startLong(1);
      await joinAndCompute(await openNotIsolated(await pageUrl(coordinator)), 'wasm-exact');
      await expectNodesWeights(coordinator);
    });

    it.each([
      ['a codec', ['--compress', 'int8']],
      [
        'rounds of local updates',
        ['--optimizer', 'adam', '--sync', 'local:replicas=2,steps=3', '--compress', 'int4'],
      ],
    ])('computes with %s where the page is not isolated', async (_, options) => {
      const coordinator = startLong(1, options);
      await joinAndCompute(await openNotIsolated(await pageUrl(coordinator)));
      await coordinator.prints(/step +\d{2,}\//);
      await expectNodesWeights(coordinator, options);
    });
  },
);
