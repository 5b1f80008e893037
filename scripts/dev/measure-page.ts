/**
 * Measures the page of a run in Chromium: `npm run measure:page`. A server of this process tells it of a simulated run with the
 * coordinator's own code for watchers, on a clock that is advanced by hand. Prints how long a latecomer waits for the page, for
 * the run's numbers and for the whole curve, and how much memory the page has as an hour goes by.
 */
import puppeteer, { type Page } from 'puppeteer-core';
import { Watchers } from '../../coordinator/membership/watchers.js';
import { systemClock } from '../../shared/actor/clock.js';
import { randomIdentifier } from '../../shared/actor/rng.js';
import { VirtualClock } from '../../shared/actor/virtual-clock.js';
import { listen } from '../../shared/link/listen.js';
import { answerPages } from '../../shared/link/page-answers.js';
import { acceptWebSockets } from '../../shared/link/web-socket-server.js';
import type { MembersNews } from '../../shared/protocol/member-news.js';
import { PROTOCOL_VERSION } from '../../shared/protocol/messages.js';
import { coordinatorProof, watchToken } from '../../shared/protocol/proof.js';
import { parseWatcherMessage } from '../../shared/protocol/watch-messages.js';
import { readPageFiles } from '../../trainer/page-files.js';

const HOUR_S = 3600;
/** How often a coordinator tells of its members. */
const TICK_MS = 500;
const STEPS = 1_000_000;
const BATCH = 128;
/** How often memory is looked at, in simulated seconds. */
const LOOK_EVERY_S = 300;
/** Views of which the median is taken. */
const VIEWS = 7;
const MEMBERS = 16;

const say = (line: string): void => void process.stderr.write(`${line}\n`);

/** A run that goes on as its clock does. */
class SimulatedRun {
  readonly clock = new VirtualClock();
  readonly watchers = new Watchers(this.clock);
  private step = 0;

  /** Lets a second go by: progress five times, members twice, an evaluation now and then, and events. */
  second(second: number): void {
    for (let part = 0; part < 10; part++) {
      this.clock.advance(100);
      this.step += 20;
      const { step } = this;
      const progress = {
        kind: 'progress',
        step,
        steps: STEPS,
        epoch: 1,
        epochs: 9,
        workers: MEMBERS,
      } as const;
      this.watchers.publish({ ...progress, loss: 2 / (1 + step / 1000), samples: step * BATCH });
      if (part % 5 === 0) this.watchers.publishMembers(membersAt(step));
    }
    if (second % 10 === 0) {
      const metrics = { testLoss: 2 / (1 + this.step / 900), testAccuracy: 1 - 0.9 / (1 + this.step / 1000) };
      this.watchers.publish({ kind: 'metrics', step: this.step, epoch: this.step / 1000, metrics });
    }
    if (second % 3 === 0)
      this.watchers.publish({ kind: 'event', topic: 'joined', text: `machine ${second} joined (native)` });
  }
}

function membersAt(step: number): MembersNews {
  const leaves = 16;
  const members = Array.from({ length: MEMBERS }, (_, i) => ({
    ...{ id: `remote-${i}`, name: `machine ${i}`, backend: 'native', threads: 4, state: 'active' as const },
    ...{ samples: step * 8, speed: 1000 + i, roundTripMs: 3, exchangeMs: 5, megabits: 90, silentMs: 100 },
    ...{ confirmed: 3, expelled: 0, seconds: step / 20 },
  }));
  const shares = members.map(({ id }, i) => ({ member: id, from: i, to: i + 1, isDone: i % 2 === 0 }));
  return { kind: 'members', step, leaves, shares, members, leftOut: 0 };
}

const run = new SimulatedRun();
const token = randomIdentifier();
const listening = await listen(
  { host: '127.0.0.1', port: 0 },
  { clock: systemClock, answerRequest: answerPages(await readPageFiles(), '127.0.0.1') },
);
let connections = 0;
acceptWebSockets(listening, { clock: systemClock, listenHost: '127.0.0.1' }, (link) => {
  const id = `watcher-${connections++}`;
  const [runId, nonce] = [randomIdentifier(), randomIdentifier()];
  link.open({
    message: ({ message }) => {
      const said = parseWatcherMessage(message);
      if (said.kind !== 'watch') return;
      const handshake = { run: runId, coordinatorNonce: nonce, workerNonce: said.nonce };
      const proof = coordinatorProof(watchToken(token), handshake);
      run.watchers.add(id, link, { proof, right: 'watch' });
    },
    closed: () => run.watchers.remove(id),
  });
  link.send({ kind: 'challenge', version: PROTOCOL_VERSION, run: runId, nonce });
});
const url = `http://127.0.0.1:${listening.port}/watch#${watchToken(token)}`;
const browser = await puppeteer.launch({
  ...{ executablePath: '/usr/bin/chromium', browser: 'chrome', headless: true },
  args: ['--no-sandbox', '--disable-gpu', '--disable-dev-shm-usage'],
});

/** Marks when the parts of a page are first there; the browser counts from the begin of the navigation. */
function markParts(): void {
  const parts = {
    ...{ page: 'h1', numbers: '#run-step', curve: '.chart .u-over' },
    ...{ members: '#members', events: '#events li' },
  };
  const seen = new Set<string>();
  new MutationObserver(() => {
    for (const [name, selector] of Object.entries(parts)) {
      if (seen.has(name) || document.querySelector(selector) === null) continue;
      seen.add(name);
      // What was changed is seen with the next frame.
      requestAnimationFrame(() => performance.mark(name));
    }
  }).observe(document, { childList: true, subtree: true });
}

async function open(): Promise<Page> {
  // As a coordinator does.
  let isOpen = false;
  const tick = (): void => {
    run.watchers.publishMembers(membersAt(STEPS));
    if (!isOpen) systemClock.after(TICK_MS, tick);
  };
  tick();
  const page = await browser.newPage();
  await page.evaluateOnNewDocument(markParts);
  await page.goto(url);
  await page.waitForFunction(`performance.getEntriesByType('mark').length === 5`);
  isOpen = true;
  return page;
}

async function heapMiB(page: Page): Promise<number> {
  const session = await page.createCDPSession();
  await session.send('HeapProfiler.collectGarbage');
  const { usedSize } = (await session.send('Runtime.getHeapUsage')) as { usedSize: number };
  await session.detach();
  return usedSize / 2 ** 20;
}

try {
  for (let second = 0; second < HOUR_S; second++) run.second(second);
  say(
    `a latecomer, after an hour of ${MEMBERS} members (median of ${VIEWS} views, ms after the navigation):`,
  );
  const views: Record<string, number>[] = [];
  for (let i = 0; i < VIEWS; i++) {
    const page = await open();
    const marks = await page.evaluate(() =>
      performance.getEntriesByType('mark').map(({ name, startTime }): [string, number] => [name, startTime]),
    );
    views.push(Object.fromEntries(marks));
    await page.close();
  }
  const medians = Object.keys(views[0] ?? {}).map((name): [string, number] => {
    const sorted = views.map((view) => view[name] as number).sort((a, b) => a - b);
    return [name, Math.round(sorted[Math.floor(VIEWS / 2)] as number)];
  });
  for (const [name, ms] of medians) say(`  ${name.padEnd(8)} ${ms}`);

  const page = await open();
  const heaps: number[] = [];
  say(`memory of the page in an hour more (MiB of JavaScript, after a collection):`);
  for (let second = 0; second <= HOUR_S; second++) {
    run.second(second);
    // The page draws what has arrived, and the server is not ahead of it by more than a second of the run.
    if (second % 5 === 0) await page.evaluate(() => new Promise((resolve) => requestAnimationFrame(resolve)));
    if (second % LOOK_EVERY_S !== 0) continue;
    heaps.push(await heapMiB(page));
    say(`  ${String(second / 60).padStart(2)} min   ${heaps.at(-1)?.toFixed(2)}`);
  }
  process.stdout.write(`${JSON.stringify({ ms: Object.fromEntries(medians), heapMiB: heaps })}\n`);
} finally {
  await browser.close();
  await listening.close();
}
