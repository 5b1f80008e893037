import { mkdtempSync, rmSync } from 'node:fs';
import { hostname, tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { parseJoinUrl } from '../../shared/protocol/join-url.js';
import type { TrainResult } from '../../trainer/result.js';
import {
  type BrowserName,
  isInstalled,
  joinAndCompute,
  killBrowser,
  launch,
  open,
  signalBrowser,
  textOf,
  waitFor,
} from '../support/browser.js';
import { startPathProxy } from '../support/path-proxy.js';
import { type Program, run, start, temporaryFolder } from '../support/process.js';
import { smallData, writeFiles } from '../support/process-data.js';

/* Tabs of real browsers as workers of real runs. A tab is admitted only if all of its self-test hashes are right. */
const ROOT = mkdtempSync(join(tmpdir(), 'unisum-browser-'));
const DATA = writeFiles(join(ROOT, 'data'), smallData());
const BASE = ['train', '--batch', 64, '--leaf', 8, '--json', '--data', DATA];
/** Longer than any test; Ctrl-C ends it. Every member computes in each step. */
const LONG = [...BASE, '--steps', 10_000_000, '--workers', 0, '--placement', 'all'];

/** Starting browsers takes seconds each on a busy machine. */
const TIMEOUT_MS = 120_000;

afterAll(() => rmSync(ROOT, { recursive: true }));

/** Starts a run that waits for so many workers. */
function startLong(workers: number, ...options: string[]): Program {
  const words = [...LONG, '--listen', '127.0.0.1:0', '--min-workers', workers, ...options];
  return start(words, temporaryFolder(), { lifeMsMax: TIMEOUT_MS });
}

/** The link for tabs that a run prints. */
async function pageUrl(program: Program): Promise<string> {
  const [, url] = await program.prints(/with a tab of a browser: +(https?:\S+)/);
  return url as string;
}

/** Ends a run, and expects the weights that Node alone computes in as many steps. */
async function expectNodesWeights(coordinator: Program, options: readonly string[] = []): Promise<void> {
  coordinator.signal('SIGINT');
  const { stdout, stderr } = await coordinator.ended;
  const { steps, weightsSha256 } = JSON.parse(stdout) as TrainResult;
  expect(steps, stderr).toBeGreaterThan(0);
  const alone = await run(...BASE, ...options, '--steps', steps, '--workers', 1);
  expect((JSON.parse(alone.stdout) as TrainResult).weightsSha256).toBe(weightsSha256);
}

// The other tests ask for nothing in which browsers differ.
for (const name of ['Chrome', 'Firefox'] as const) {
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
    it('joins beside two workers of Node, is killed, and another joins', async () => {
      const coordinator = startLong(2);
      const joinUrl = await coordinator.joinUrl();
      for (const worker of ['one', 'two']) start(['worker', joinUrl, '--name', worker]);
      await coordinator.prints(/step +\d+\/10000000/);
      const url = await pageUrl(coordinator);
      const killed = await launch('Chrome');
      await joinAndCompute(await open(killed, url));
      killBrowser(killed);
      await coordinator.prints(/Chrome on Linux left/);
      await joinAndCompute(await open(await launch('Chrome'), url));
      await expectNodesWeights(coordinator);
    });

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
      const coordinator = startLong(1, '--public-url', proxy.url, '--trust-proxy', '127.0.0.1');
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
      const coordinator = startLong(1, '--tls');
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

    it.each(['wasm', 'wasm-exact'] as const)(
      'computes with %s where the page is not isolated',
      async (backend) => {
        const coordinator = startLong(1);
        // Plain HTTP by a name: an insecure page, without shared memory and without crypto.subtle.
        const browser = await launch('Chrome', [`--host-resolver-rules=MAP ${hostname()} 127.0.0.1`]);
        const page = await open(browser, (await pageUrl(coordinator)).replace('127.0.0.1', hostname()));
        expect(await page.evaluate(() => [crossOriginIsolated, isSecureContext])).toEqual([false, false]);
        await joinAndCompute(page, backend);
        await expectNodesWeights(coordinator);
      },
    );

    it.each([
      ['a codec', ['--compress', 'int8']],
      [
        'rounds of local updates',
        ['--optimizer', 'adam', '--sync', 'local:replicas=2,steps=3', '--compress', 'int4'],
      ],
    ])('computes with %s where the page is not isolated', async (_, options) => {
      const coordinator = startLong(1, ...options);
      const browser = await launch('Chrome', [`--host-resolver-rules=MAP ${hostname()} 127.0.0.1`]);
      const page = await open(browser, (await pageUrl(coordinator)).replace('127.0.0.1', hostname()));
      await joinAndCompute(page);
      await coordinator.prints(/step +\d{2,}\//);
      await expectNodesWeights(coordinator, options);
    });

    it('is dropped while it is frozen, and is back when it is thawed', async () => {
      const coordinator = startLong(1);
      const browser = await launch('Chrome');
      const page = await open(browser, await pageUrl(coordinator));
      await joinAndCompute(page);
      signalBrowser(browser, 'SIGSTOP');
      await coordinator.prints(/Chrome on Linux left \(.*silent/);
      signalBrowser(browser, 'SIGCONT');
      await coordinator.prints(/left \(.*silent[\s\S]*Chrome on Linux joined/);
      // Its connection for watching was lost too: the page has it back when it is told that it has joined again.
      await waitFor(page, '#events li[data-topic=joined] ~ li[data-topic=left]', '#events');
      await expectNodesWeights(coordinator);
    });
  },
);

function joined(name: BrowserName, backend: string): RegExp {
  return new RegExp(`${name} on Linux joined \\(${backend}\\)`);
}
