import type { Clock } from '../../../shared/actor/clock.js';
import { watchRun } from '../../../shared/link/watch-client.js';
import { connectWebSocket } from '../../../shared/link/web-socket-client.js';
import { hostAndPort, parseOperateUrl, WATCH_PATH } from '../../../shared/protocol/join-url.js';
import type { ControlAction, ControlRequest, News } from '../../../shared/protocol/watch-messages.js';
import { processorMs } from '../processor-time.js';
import { Program } from '../soak/program.js';

/** News of this kind. */
type Of<K extends News['kind']> = Extract<News, { kind: K }>;

/** How fast a run was in a stretch of time. */
export interface Pace {
  readonly msPerStep: number;
  readonly samplesPerS: number;
  /** Samples per second of processor time of the members' processes. */
  readonly samplesPerProcessorS: number;
}

/** Longer than any measurement. */
const STEPS = 100_000_000;
const SETTLE_MS = 1500;

/** A run without local workers, whose operator is this process. */
export class MeasuredRun {
  readonly joinUrl: string;
  readonly pageUrl: string;
  private readonly aborter = new AbortController();
  private readonly listeners = new Set<(news: News) => void>();
  private ask: (request: ControlRequest) => void = () => {};
  private onControlled: () => void = () => {};

  private constructor(
    private readonly program: Program,
    urls: { readonly joinUrl: string; readonly pageUrl: string },
    private readonly clock: Clock,
  ) {
    this.joinUrl = urls.joinUrl;
    this.pageUrl = urls.pageUrl;
  }

  /** Starts a run that waits for a member. @param args of `train` that describe the training */
  static async start(args: readonly string[], folder: string, clock: Clock): Promise<MeasuredRun> {
    const rest = [
      ...['--workers', '0', '--placement', 'all', '--listen', '127.0.0.1:0'],
      ...['--steps', String(STEPS), '--evaluate-every', String(STEPS), '--json'],
    ];
    const program = new Program(['train', ...args, ...rest], folder);
    const [, joinUrl = ''] = await program.prints(/worker '([^']+)'/);
    const [, pageUrl = ''] = await program.prints(/with a tab of a browser: +(\S+)/);
    const [, operateUrl = ''] = await program.prints(/control '([^']+)'/);
    const run = new MeasuredRun(program, { joinUrl, pageUrl }, clock);
    await run.operate(operateUrl);
    return run;
  }

  /** The coordinator's process. */
  get pid(): number {
    return this.program.pid as number;
  }

  /** The next news of a kind that are as wanted. */
  next<K extends News['kind']>(
    kind: K,
    isWanted: (news: Of<K>) => boolean = () => true,
  ): Promise<{ readonly news: Of<K>; readonly atMs: number }> {
    return new Promise((resolve) => {
      const listener = (news: News): void => {
        if (news.kind !== kind || !isWanted(news as Of<K>)) return;
        this.listeners.delete(listener);
        resolve({ news: news as Of<K>, atMs: this.clock.nowMs() });
      };
      this.listeners.add(listener);
    });
  }

  /** Counts news of a kind that are as wanted, until `stop`. */
  count<K extends News['kind']>(
    kind: K,
    isWanted: (news: Of<K>) => boolean,
  ): { count: number; stop(): void } {
    const counter = { count: 0, stop: () => void this.listeners.delete(listener) };
    const listener = (news: News): void => {
      if (news.kind === kind && isWanted(news as Of<K>)) counter.count += 1;
    };
    this.listeners.add(listener);
    return counter;
  }

  /** Pauses the run, or lets it go on. */
  control(action: ControlAction): Promise<void> {
    return new Promise((resolve) => {
      this.onControlled = resolve;
      this.ask({ action });
    });
  }

  /** Lets a paused run go on for a while, and tells how fast it was. @param pids processes of its members */
  async paceFor(ms: number, pids: () => readonly number[]): Promise<Pace> {
    await this.control('resume');
    await this.pause(SETTLE_MS);
    const pace = await this.pace(ms, pids);
    await this.control('pause');
    return pace;
  }

  /** How fast the run is from now on, for so long. */
  async pace(ms: number, pids: () => readonly number[]): Promise<Pace> {
    const first = await this.mark(pids());
    await this.pause(ms);
    const last = await this.mark(pids());
    const seconds = last.seconds - first.seconds;
    const samplesPerS = (last.samples - first.samples) / seconds;
    const processors = (last.processorMs - first.processorMs) / (last.atMs - first.atMs);
    return {
      msPerStep: (1000 * seconds) / (last.step - first.step),
      samplesPerS,
      samplesPerProcessorS: samplesPerS / processors,
    };
  }

  pause(ms: number): Promise<void> {
    return new Promise((resolve) => void this.clock.after(ms, resolve));
  }

  close(): void {
    this.aborter.abort();
    this.program.kill();
  }

  /** How far the run is. News are paced, so the time is the coordinator's, and not when they arrive. */
  private async mark(pids: readonly number[]) {
    const { news, atMs } = await this.next('progress');
    const { step, samples, seconds } = news;
    return { step, samples, seconds, atMs, processorMs: processorMs(pids) };
  }

  private operate(operateUrl: string): Promise<void> {
    const address = parseOperateUrl(operateUrl);
    return new Promise((resolve, reject) => {
      watchRun({
        ...{ token: address.token, peer: hostAndPort(address), clock: this.clock, stop: this.aborter.signal },
        connect: () => connectWebSocket(address, this.clock, WATCH_PATH),
        onNews: (news) => {
          for (const listener of [...this.listeners]) listener(news);
        },
        onNotice: () => {},
        onAdmitted: (_, ask) => {
          this.ask = ask;
          resolve();
        },
        onControlled: () => this.onControlled(),
      }).catch(reject);
    });
  }
}
