import { fileURLToPath } from 'node:url';
import { systemClock } from '../../../shared/actor/clock.js';
import { timeStats } from '../../bench/time-stats.js';
import { Program } from '../soak/program.js';
import { MeasuredRun, type Pace } from './measured-run.js';
import { type BrowserName, UndrivenBrowser } from './undriven-browser.js';

/** How long and how often is measured. */
export interface TrialPlan {
  readonly browser: BrowserName;
  /** Where runs are kept. */
  readonly folder: string;
  readonly pairs: number;
  /** Length of a window. */
  readonly windowMs: number;
  readonly hiddenMs: number;
}

/** Something that is measured; its results by name, which are printed. */
export type Trial = (plan: TrialPlan) => Promise<Readonly<Record<string, unknown>>>;

/** Batches in which computing takes nearly all of the time, in steps short enough for a window. */
const CNN = ['mnist-cnn', '--batch', '256'];
const mlp512 = (batch: number): readonly string[] => [
  fileURLToPath(new URL('./mlp512.ts', import.meta.url)),
  '--batch',
  String(batch),
];
/** The least that a machine can compute between two exchanges, of 1.7 MB each way. */
const EXCHANGE = ['mnist-cnn', '--batch', '1', '--leaf-size', '1'];
const SMALL = ['mnist-cnn', '--batch', '32'];
/** One leaf, which takes more than ten seconds without relaxed SIMD. */
const LONG = ['mnist-cnn', '--batch', '1536', '--leaf-size', '1536'];
const LONG_STEPS = 3;
/** How long a tab is frozen: it has been dropped for a while by then. */
const FROZEN_MS = 6000;

/** What can be measured, by name. */
export const TRIALS: Readonly<Record<string, Trial>> = {
  cnn: (plan) => besideNode(CNN, plan),
  mlp512: (plan) => besideNode(mlp512(2048), plan),
  'mlp512-1024': (plan) => besideNode(mlp512(1024), plan),
  exchange: (plan) => besideNode(EXCHANGE, plan),
  hidden,
  'long-call': longCall,
  frozen,
  killed,
};

/** Two runs that are alike, one with a tab and one with Node's worker, of which one is paused at any time. */
async function inTurn<T>(
  args: readonly string[],
  { browser: name, folder, windowMs }: TrialPlan,
  measure: (tab: UndrivenBrowser, pair: () => Promise<[Pace, Pace]>) => Promise<T>,
): Promise<T> {
  const runs = [await startRun(args, folder), await startRun(args, folder)] as const;
  const worker = new Program(['worker', runs[1].joinUrl, '--backend', 'wasm', '--threads', '1'], folder, [
    'taskset',
    '-c',
    '1',
  ]);
  let tab: UndrivenBrowser | undefined;
  try {
    await runs[1].next('progress');
    await runs[1].control('pause');
    const started = await UndrivenBrowser.join(name, runs[0].pageUrl, { backend: 'wasm' });
    tab = started;
    await runs[0].next('progress');
    await runs[0].control('pause');
    const pair = async (): Promise<[Pace, Pace]> => [
      await runs[0].paceFor(windowMs, () => started.pids()),
      await runs[1].paceFor(windowMs, () => [worker.pid as number]),
    ];
    // The code that moves messages is compiled in both.
    await pair();
    return await measure(started, pair);
  } finally {
    worker.kill();
    await tab?.kill();
    for (const run of runs) run.close();
  }
}

function besideNode(args: readonly string[], plan: TrialPlan): ReturnType<Trial> {
  return inTurn(args, plan, async (_, pair) => {
    const pairs: [Pace, Pace][] = [];
    for (let i = 0; i < plan.pairs; i++) pairs.push(await pair());
    return compare(pairs);
  });
}

/** Medians of the tab, of Node's worker, and of the pairs' ratios. */
function compare(pairs: readonly (readonly [Pace, Pace])[]): Readonly<Record<string, unknown>> {
  const of = (key: keyof Pace) => {
    const ratios = pairs.map(([tab, node]) => tab[key] / node[key]);
    return {
      tab: timeStats(pairs.map(([tab]) => tab[key])).median,
      node: timeStats(pairs.map(([, node]) => node[key])).median,
      ...{ ratio: timeStats(ratios).median, ratios },
    };
  };
  return {
    samplesPerS: of('samplesPerS'),
    samplesPerProcessorS: of('samplesPerProcessorS'),
    msPerStep: of('msPerStep'),
  };
}

/** The rate of a tab beside Node's, while another tab is in front of it, against before and after. */
function hidden(plan: TrialPlan): ReturnType<Trial> {
  return inTurn(SMALL, plan, async (tab, pair) => {
    const ratios = async (isDue: (count: number) => boolean): Promise<number[]> => {
      const all: number[] = [];
      while (isDue(all.length)) {
        const [one, node] = await pair();
        all.push(one.samplesPerS / node.samplesPerS);
      }
      return all;
    };
    const visible = await ratios((count) => count < plan.pairs);
    const whileHidden = await tab.hide();
    const untilMs = systemClock.nowMs() + plan.hiddenMs;
    const hiddenRatios = await ratios(() => systemClock.nowMs() < untilMs);
    const atTheEnd = await tab.show();
    const again = await ratios((count) => count < plan.pairs);
    const rate = timeStats([...visible, ...again]).median;
    return {
      ...{ visibility: [whileHidden, atTheEnd], visible, hidden: hiddenRatios, again },
      ratio: timeStats(hiddenRatios).median / rate,
      ratioAtTheEnd: timeStats(hiddenRatios.slice(-plan.pairs)).median / rate,
    };
  });
}

/** Steps whose one leaf takes a tab more than ten seconds, and how often it was dropped meanwhile. */
async function longCall({ browser, folder }: TrialPlan): ReturnType<Trial> {
  return withTab(LONG, { browser, folder, backend: 'wasm-exact' }, async (run) => {
    const left = run.count('event', ({ topic }) => topic === 'left');
    let before = (await run.next('progress')).news.seconds;
    const seconds: number[] = [];
    for (let i = 0; i < LONG_STEPS; i++) {
      const { news } = await run.next('progress');
      seconds.push(news.seconds - before);
      before = news.seconds;
    }
    return { secondsPerStep: seconds, timesDropped: left.count };
  });
}

/** How long a tab that is frozen stays a member, and how long it takes to compute again. */
async function frozen({ browser, folder, pairs }: TrialPlan): ReturnType<Trial> {
  return withTab(SMALL, { browser, folder, backend: 'wasm' }, async (run, tab) => {
    const times: { droppedMs: number; joinedMs: number; computesMs: number }[] = [];
    for (let i = 0; i < pairs; i++) {
      await run.next('progress');
      const dropped = run.next('event', ({ topic }) => topic === 'left');
      const frozenAtMs = systemClock.nowMs();
      tab.signal('SIGSTOP');
      const { atMs: droppedAtMs } = await dropped;
      await run.pause(frozenAtMs + FROZEN_MS - systemClock.nowMs());
      const joined = run.next('event', ({ topic }) => topic === 'joined');
      const computes = run.next('progress');
      const thawedAtMs = systemClock.nowMs();
      tab.signal('SIGCONT');
      times.push({
        droppedMs: droppedAtMs - frozenAtMs,
        joinedMs: (await joined).atMs - thawedAtMs,
        computesMs: (await computes).atMs - thawedAtMs,
      });
    }
    const of = (key: 'droppedMs' | 'joinedMs' | 'computesMs') => timeStats(times.map((one) => one[key]));
    return { droppedMs: of('droppedMs'), joinedMs: of('joinedMs'), computesMs: of('computesMs') };
  });
}

/** How long a tab whose browser is killed stays a member. */
async function killed({ browser, folder }: TrialPlan): ReturnType<Trial> {
  return withTab(SMALL, { browser, folder, backend: 'wasm' }, async (run, tab) => {
    await run.next('progress');
    const dropped = run.next('event', ({ topic }) => topic === 'left');
    const killedAtMs = systemClock.nowMs();
    tab.signal('SIGKILL');
    return { droppedMs: (await dropped).atMs - killedAtMs };
  });
}

interface TabRun extends Pick<TrialPlan, 'browser' | 'folder'> {
  readonly backend: 'wasm' | 'wasm-exact';
}

/** A run whose only member is a tab. */
async function withTab<T>(
  args: readonly string[],
  { browser, folder, backend }: TabRun,
  measure: (run: MeasuredRun, tab: UndrivenBrowser) => Promise<T>,
): Promise<T> {
  const run = await startRun(args, folder);
  let tab: UndrivenBrowser | undefined;
  try {
    tab = await UndrivenBrowser.join(browser, run.pageUrl, { backend });
    return await measure(run, tab);
  } finally {
    await tab?.kill();
    run.close();
  }
}

function startRun(args: readonly string[], folder: string): Promise<MeasuredRun> {
  return MeasuredRun.start(args, folder, systemClock);
}
