import { mkdtempSync, rmSync } from 'node:fs';
import { hostname, tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Page } from 'puppeteer-core';
import { afterAll, expect } from 'vitest';
import type { TrainResult } from '../../trainer/result.js';
import {
  type BrowserName,
  joinAndCompute,
  killBrowser,
  launch,
  open,
  signalBrowser,
  waitFor,
} from './browser.js';
import { type Program, run, start, temporaryFolder } from './process.js';
import { smallData, writeFiles } from './process-data.js';

/* Runs that tabs of real browsers join. A tab is admitted only if all of its self-test hashes are right. */

const ROOT = mkdtempSync(join(tmpdir(), 'unisum-tabs-'));
const BASE = ['train', '--batch', 64, '--leaf', 8, '--json'];
/** Small data for the usual network. */
const SMALL = ['--data', writeFiles(join(ROOT, 'data'), smallData())];
/** Longer than any test; Ctrl-C ends it. Every member computes in each step. */
const LONG = ['--steps', 10_000_000, '--workers', 0, '--placement', 'all', '--listen', '127.0.0.1:0'];

/** Starting browsers takes seconds each on a busy machine. */
export const TIMEOUT_MS = 120_000;

afterAll(() => rmSync(ROOT, { recursive: true }));

/** Starts a run that waits for so many workers. @param what the recipe or its data; left out: the usual network and small data */
export function startLong(
  workers: number,
  options: readonly string[] = [],
  what: readonly string[] = SMALL,
): Program {
  const words = [...BASE, ...what, ...LONG, '--min-workers', workers, ...options];
  return start(words, temporaryFolder(), { lifeMsMax: TIMEOUT_MS });
}

/** The link for tabs that a run prints. */
export async function pageUrl(program: Program): Promise<string> {
  const [, url] = await program.prints(/with a tab of a browser: +(https?:\S+)/);
  return url as string;
}

/** Ends a run of small data, and expects the weights that Node alone computes in as many steps. */
export async function expectNodesWeights(
  coordinator: Program,
  options: readonly string[] = [],
): Promise<void> {
  coordinator.signal('SIGINT');
  const { stdout, stderr } = await coordinator.ended;
  const { steps, weightsSha256 } = JSON.parse(stdout) as TrainResult;
  expect(steps, stderr).toBeGreaterThan(0);
  const alone = await run(...BASE, ...SMALL, ...options, '--steps', steps, '--workers', 1);
  expect((JSON.parse(alone.stdout) as TrainResult).weightsSha256).toBe(weightsSha256);
}

/** The line of a coordinator that says that a tab has joined. */
export function joined(name: BrowserName, backend: string): RegExp {
  return new RegExp(`${name} on Linux joined \\(${backend}\\)`);
}

/** A page by plain HTTP and a name: an insecure one, without shared memory and without crypto.subtle. */
export async function openNotIsolated(url: string): Promise<Page> {
  const browser = await launch('Chrome', [`--host-resolver-rules=MAP ${hostname()} 127.0.0.1`]);
  const page = await open(browser, url.replace('127.0.0.1', hostname()));
  expect(await page.evaluate(() => [crossOriginIsolated, isSecureContext])).toEqual([false, false]);
  return page;
}

/** A tab joins beside two workers of Node, its browser is killed, and another one joins: the weights are those of Node. */
export async function killAndReplace(name: BrowserName): Promise<void> {
  const coordinator = startLong(2);
  const joinUrl = await coordinator.joinUrl();
  for (const worker of ['one', 'two']) start(['worker', joinUrl, '--name', worker]);
  await coordinator.prints(/step +\d+\/10000000/);
  const url = await pageUrl(coordinator);
  const killed = await launch(name);
  await joinAndCompute(await open(killed, url));
  killBrowser(killed);
  await coordinator.prints(new RegExp(`${name} on Linux left`));
  await joinAndCompute(await open(await launch(name), url));
  await expectNodesWeights(coordinator);
}

/** A browser is frozen, and dropped; it is thawed, and joins again: the weights are those of Node. */
export async function freezeAndThaw(name: BrowserName): Promise<void> {
  const coordinator = startLong(1);
  const browser = await launch(name);
  const page = await open(browser, await pageUrl(coordinator));
  await joinAndCompute(page);
  signalBrowser(browser, 'SIGSTOP');
  await coordinator.prints(new RegExp(`${name} on Linux left \\(.*silent`));
  signalBrowser(browser, 'SIGCONT');
  await coordinator.prints(new RegExp(`left \\(.*silent[\\s\\S]*${name} on Linux joined`));
  // Its connection for watching was lost too: the page has it back when it is told that it has joined again.
  await waitFor(page, '#events li[data-topic=joined] ~ li[data-topic=left]', '#events');
  await expectNodesWeights(coordinator);
}

/** The chunks of the latest join: how many the browser had kept, were fetched, and had changed since. */
export async function origin(page: Page): Promise<Record<'kept' | 'fetched' | 'damaged', number>> {
  const { kept, fetched, damaged } = await page.$eval('#join-data', (element) => ({
    ...(element as HTMLElement).dataset,
  }));
  return { kept: Number(kept), fetched: Number(fetched), damaged: Number(damaged) };
}

/** Lets a tab leave, and waits until it has. */
export async function leave(page: Page): Promise<void> {
  await page.click('#leave');
  await page.waitForSelector('#join-status[data-phase=ended]');
}
