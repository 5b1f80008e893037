import { existsSync } from 'node:fs';
import puppeteer, { type Browser, type LaunchOptions, type Page } from 'puppeteer-core';
import { afterEach, expect, onTestFinished } from 'vitest';
// Hooks run in reverse order, so what follows here runs before the processes of a test are killed.
import './process.js';

/** The browsers that tests drive, and where Debian installs them. */
const BROWSERS = {
  Chrome: {
    executablePath: '/usr/bin/chromium',
    browser: 'chrome',
    args: [
      // Root needs the first one; the next ones keep the browser from anything but the page.
      ...['--no-sandbox', '--disable-gpu', '--disable-dev-shm-usage', '--disable-background-networking'],
      // A certificate that the user has accepted. The driver's own option does not reach workers that workers start.
      '--ignore-certificate-errors',
    ],
  },
  Firefox: { executablePath: '/usr/bin/firefox-esr', browser: 'firefox', args: [] },
} as const;

/** The pages of a test whose complaints count. */
const opened: Page[] = [];

// A browser complains when the server of its page is killed, which every test ends with.
afterEach(() => {
  for (const page of opened.splice(0)) page.removeAllListeners('console');
});

export type BrowserName = keyof typeof BROWSERS;

/** Whether a browser is installed here. Tests that need another one are skipped; .ci/run installs both. */
export function isInstalled(name: BrowserName): boolean {
  return existsSync(BROWSERS[name].executablePath);
}

/** Starts a browser without a window. It is killed after the test. */
export async function launch(name: BrowserName, args: readonly string[] = []): Promise<Browser> {
  const { args: own, ...how } = BROWSERS[name];
  const options: LaunchOptions = {
    ...how,
    headless: true,
    acceptInsecureCerts: true,
    args: [...own, ...args],
  };
  const browser = await puppeteer.launch(options);
  onTestFinished(() => killBrowser(browser));
  return browser;
}

/** Kills a browser with all of its processes, as a crash or the loss of power does. */
export function killBrowser(browser: Browser): void {
  signalBrowser(browser, 'SIGKILL');
}

/** Signals all processes of a browser: SIGSTOP freezes it, as sleep does, and SIGCONT thaws it. */
export function signalBrowser(browser: Browser, signal: NodeJS.Signals): void {
  const pid = browser.process()?.pid as number;
  try {
    process.kill(-pid, signal);
  } catch (error) {
    // It has ended before.
    if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error;
  }
}

/** A tab shares two cores with all else that runs: its self-test alone may take half a minute. */
const PAGE_MS_MAX = 100_000;

/** Opens the page. Whatever the browser complains about, such as a violation of the content policy, fails the test. */
export async function open(browser: Browser, url: string): Promise<Page> {
  const page = await browser.newPage();
  page.setDefaultTimeout(PAGE_MS_MAX);
  const complaints: string[] = [];
  page.on('console', (message) => {
    if (message.type() === 'error' || message.type() === 'warn') complaints.push(message.text());
  });
  page.on('pageerror', (error) => complaints.push(String(error)));
  opened.push(page);
  onTestFinished(() => expect(complaints).toEqual([]));
  await page.goto(url);
  return page;
}

/** Joins the run with this tab, and waits until it has computed something. */
export async function joinAndCompute(page: Page, backend: 'wasm' | 'wasm-exact' = 'wasm'): Promise<void> {
  await page.waitForSelector('#join');
  await page.select('#backend', backend);
  await page.click('#join');
  // Until then the page shows what was computed before.
  await waitFor(page, '#join-status[data-phase=working]', '#join-status');
  await waitFor(page, '#join-samples:not([value="0"])', '#join-status');
  // A page that is connected learns that the run ends. Another tries to connect, and the browser complains when nothing is there.
  await waitFor(page, '#run-status[data-status=watching]', '#run-status');
}

/**
 * Waits for an element. A failure names what another element says. Firefox runs no function that is made from text, as
 * waitForFunction needs, on a page whose policy forbids it.
 */
export async function waitFor(page: Page, selector: string, saying: string): Promise<void> {
  try {
    await page.waitForSelector(selector);
  } catch (cause) {
    throw new Error(`no ${selector}; the page says: ${await textOf(page, saying)}`, { cause });
  }
}

/** Both schemes and both widths, in two looks: what a scheme changes does not depend on the width. */
export const LOOKS = [
  { scheme: 'light', width: 1280 },
  { scheme: 'dark', width: 390 },
] as const;

/** Shows a page as a screen does. */
export async function look(page: Page, { scheme, width }: (typeof LOOKS)[number]): Promise<void> {
  await page.emulateMediaFeatures([{ name: 'prefers-color-scheme', value: scheme }]);
  await page.setViewport({ width, height: 844 });
}

/** The text of an element. */
export function textOf(page: Page, selector: string): Promise<string> {
  return page.$eval(selector, (element) => element.textContent ?? '');
}
