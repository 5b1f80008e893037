/**
 * Takes the pictures of the page in docs/page: a real run with workers of other processes, one of which is killed, in a real
 * browser. Debian's pngquant makes them small. Usage: npx tsx scripts/dev/page-screenshots.ts [FOLDER] [RECORDINGS]
 * With recordings (the folder of the Free Spoken Digit Dataset), the page of a speech recipe is among the pictures.
 */
import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import puppeteer, { type Browser, type Page } from 'puppeteer-core';

const FOLDER = process.argv[2] ?? 'docs/page';
const RECORDINGS = process.argv[3];
const PROGRAM = 'dist/scripts/unisum.js';
const RUN = [
  ...['train', 'mnist-cnn', '--epochs', '50', '--workers', '1', '--placement', 'all', '--min-workers', '3'],
  ...[
    '--listen',
    '127.0.0.1:0',
    '--evaluate-every',
    '20',
    '--inspect-gradients',
    '20',
    '--checkpoint-every',
    '5s',
  ],
];
const SPEECH_RUN = [
  'train',
  'speech-strings',
  '--workers',
  '2',
  '--listen',
  '127.0.0.1:0',
  '--evaluate-every',
  '10',
];
const PICTURE = { type: 'png', fullPage: true } as const;
/** Small enough for a repository, and readable. */
const COLOURS = 32;
const WIDE = { width: 1280, height: 900 };
const NARROW = { width: 390, height: 844, deviceScaleFactor: 1 };

const children: ChildProcess[] = [];

/** A process of the program, and what it prints. */
function start(args: readonly string[]): { child: ChildProcess; prints(pattern: RegExp): Promise<string> } {
  const child = spawn(process.execPath, [PROGRAM, ...args]);
  children.push(child);
  let text = '';
  const waiting: { pattern: RegExp; resolve: (found: string) => void }[] = [];
  const look = (): void => {
    for (const one of waiting) {
      const [, found] = one.pattern.exec(text) ?? [];
      if (found !== undefined) one.resolve(found);
    }
  };
  child.stderr?.setEncoding('utf8').on('data', (more: string) => {
    text += more;
    look();
  });
  const prints = (pattern: RegExp): Promise<string> =>
    new Promise((resolve, reject) => {
      waiting.push({ pattern, resolve });
      child.once('exit', () => reject(new Error(`ended without ${pattern}: ${text}`)));
      look();
    });
  return { child, prints };
}

async function open(browser: Browser, url: string, view: typeof WIDE, scheme: string): Promise<Page> {
  const page = await browser.newPage();
  await page.setViewport(view);
  await page.emulateMediaFeatures([{ name: 'prefers-color-scheme', value: scheme }]);
  await page.goto(url);
  return page;
}

async function take(page: Page, name: string): Promise<void> {
  // Only the page in front is drawn.
  await page.bringToFront();
  // What has just changed is painted by the second frame.
  await page.evaluate(
    () => new Promise((resolve) => requestAnimationFrame(() => requestAnimationFrame(resolve))),
  );
  const path = join(FOLDER, `${name}.png`);
  await page.screenshot({ ...PICTURE, path });
  execFileSync('pngquant', ['--speed', '1', '--strip', '--force', '--output', path, String(COLOURS), path]);
}

/** Resolves when an event of this topic is shown. */
async function shows(page: Page, topic: string): Promise<void> {
  await page.bringToFront();
  await page.waitForSelector(`#events [data-topic=${topic}]`, { timeout: 300_000 });
}

mkdirSync(FOLDER, { recursive: true });
const browser = await puppeteer.launch({
  ...{ executablePath: '/usr/bin/chromium', browser: 'chrome', headless: true },
  args: ['--no-sandbox', '--disable-gpu', '--disable-dev-shm-usage', '--hide-scrollbars'],
});
try {
  const run = start(RUN);
  const operate = await run.prints(/(http:\S+\/operate#\S+)/);
  const join = await run.prints(/worker '(ws:[^']+)'/);
  const page = await open(browser, operate, WIDE, 'light');
  await page.waitForSelector('#members');
  await take(page, 'before');
  const [ada] = ['ada', 'bob'].map((name) => start(['worker', join, '--name', name]));
  await page.bringToFront();
  await page.waitForFunction(() => document.querySelectorAll('tbody tr[data-member]').length === 3);
  await page.waitForFunction(() => document.querySelectorAll('#evaluations tbody tr').length >= 3, {
    timeout: 300_000,
  });
  // Between two steps there is no tree.
  await page.waitForSelector('#sum-tree');
  await take(page, 'during');
  ada?.child.kill('SIGKILL');
  await shows(page, 'left');
  // The table of members and the next step are sent apart from the events.
  await page.waitForFunction(
    () =>
      document.querySelectorAll('tbody tr[data-member]').length === 2 &&
      document.querySelector('#run-workers')?.textContent === '2' &&
      document.querySelector('#sum-tree') !== null,
  );
  await take(page, 'member-died');
  await take(await open(browser, operate, WIDE, 'dark').then(ready), 'dark');
  await take(await open(browser, operate, NARROW, 'light').then(ready), 'phone');
  await page.bringToFront();
  run.child.kill('SIGINT');
  await page.waitForSelector('#weights-hash', { timeout: 300_000 });
  await take(page, 'after');
  if (RECORDINGS !== undefined) await takeSpeech(browser, RECORDINGS);
} finally {
  for (const child of children) child.kill('SIGKILL');
  await browser.close();
}

/** The page of a speech recipe, whose transcripts are right in part. */
async function takeSpeech(browser: Browser, recordings: string): Promise<void> {
  const run = start([...SPEECH_RUN, '--data', recordings]);
  const operate = await run.prints(/(http:\S+\/operate#\S+)/);
  const page = await open(browser, operate, WIDE, 'light');
  await page.waitForSelector('#examples .right.recordings', { timeout: 900_000 });
  await take(page, 'speech');
}

async function ready(page: Page): Promise<Page> {
  await page.waitForSelector('#sum-tree');
  await page.waitForSelector('.chart .u-over');
  return page;
}
