import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtempSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import puppeteer, { type Browser, type Page } from 'puppeteer-core';
import { processTree } from '../processor-time.js';

/** Starting, loading kernels and testing them, on a busy machine. */
const START_MS_MAX = 100_000;

/**
 * The browsers, and how each is told to listen to a driver. They have none of a driver's own options, some of which keep
 * hidden pages as fast as visible ones.
 */
const BROWSERS = {
  Chrome: {
    program: 'chromium',
    args: (profile: string) => [
      ...['--headless', '--no-sandbox', '--disable-gpu', '--disable-dev-shm-usage', '--no-first-run'],
      ...[`--user-data-dir=${profile}`, '--remote-debugging-port=0', 'about:blank'],
    ],
    listens: /DevTools listening on (ws:\S+)/,
    path: '',
    protocol: 'cdp',
  },
  Firefox: {
    program: 'firefox-esr',
    args: (profile: string) => [
      '--headless',
      '--no-remote',
      '--profile',
      profile,
      '--remote-debugging-port=0',
    ],
    listens: /WebDriver BiDi listening on (ws:\S+)/,
    path: '/session',
    protocol: 'webDriverBiDi',
  },
} as const;

export type BrowserName = keyof typeof BROWSERS;
export const BROWSER_NAMES = Object.keys(BROWSERS) as BrowserName[];

/** How a tab joins. */
export interface TabSettings {
  readonly backend: 'wasm' | 'wasm-exact';
  /** Further arguments of the browser. */
  readonly args?: readonly string[];
}

/**
 * A browser that a driver has made join a run, and left alone then: a driver is told of every message of a socket, which slows
 * sockets several times.
 */
export class UndrivenBrowser {
  private constructor(
    readonly name: BrowserName,
    private readonly child: ChildProcess,
    private readonly profile: string,
    private readonly driverUrl: string,
  ) {}

  /** Starts a browser on one core, opens the page of a run, and lets the tab join. Resolves when it takes part. */
  static async join(
    name: BrowserName,
    url: string,
    { backend, args = [] }: TabSettings,
  ): Promise<UndrivenBrowser> {
    const { program, args: own, listens, path } = BROWSERS[name];
    const profile = mkdtempSync(join(tmpdir(), 'unisum-tab-'));
    const words = ['-c', '1', program, ...args, ...own(profile)];
    // A group of its own can be frozen and killed as a whole.
    const child = spawn('taskset', words, { detached: true, stdio: ['ignore', 'ignore', 'pipe'] });
    const driverUrl = await printed(child, listens);
    const browser = new UndrivenBrowser(name, child, profile, `${driverUrl}${path}`);
    await browser.drive(async (driver) => {
      const page = await driver.newPage();
      page.setDefaultTimeout(START_MS_MAX);
      await page.goto(url);
      await page.waitForSelector('#join');
      await page.select('#backend', backend);
      await page.click('#join');
      await page.waitForSelector('#join-status[data-phase=working]');
    });
    return browser;
  }

  /** All of its processes. */
  pids(): number[] {
    return processTree(this.child.pid as number);
  }

  /** Opens another tab in front of the page, and tells what the page says about being visible. */
  hide(): Promise<string> {
    return this.drive(async (driver) => {
      const page = await joinedPage(driver);
      const front = await driver.newPage();
      await front.bringToFront();
      return await page.evaluate(() => document.visibilityState);
    });
  }

  /** Brings the page to the front, and tells what it said about being visible before that. */
  show(): Promise<string> {
    return this.drive(async (driver) => {
      const page = await joinedPage(driver);
      const state = await page.evaluate(() => document.visibilityState);
      await page.bringToFront();
      return state;
    });
  }

  /** Signals all of its processes: SIGSTOP freezes it, as sleep does, and SIGKILL is a crash. */
  signal(signal: NodeJS.Signals): void {
    process.kill(-(this.child.pid as number), signal);
  }

  async kill(): Promise<void> {
    const { child } = this;
    if (child.exitCode === null && child.signalCode === null) {
      const ended = new Promise((resolve) => child.once('exit', resolve));
      this.signal('SIGKILL');
      await ended;
    }
    await rm(this.profile, { recursive: true, force: true, maxRetries: 5 });
  }

  private async drive<T>(act: (driver: Browser) => Promise<T>): Promise<T> {
    const { protocol } = BROWSERS[this.name];
    const driver = await puppeteer.connect({
      browserWSEndpoint: this.driverUrl,
      protocol,
      defaultViewport: null,
    });
    try {
      return await act(driver);
    } finally {
      await driver.disconnect();
    }
  }
}

async function joinedPage(driver: Browser): Promise<Page> {
  for (const page of await driver.pages()) if (page.url().startsWith('http')) return page;
  throw new Error('the page of the run is gone');
}

function printed(child: ChildProcess, pattern: RegExp): Promise<string> {
  return new Promise((resolve, reject) => {
    let text = '';
    child.stderr?.setEncoding('utf8').on('data', (more: string) => {
      text += more;
      const [, found] = pattern.exec(text) ?? [];
      if (found !== undefined) resolve(found);
    });
    child.once('error', reject);
    child.once('exit', () => reject(new Error(`the browser ended:\n${text}`)));
  });
}
