import cliProgress from 'cli-progress';
import type { Progress, ProgressState } from '../../trainer/run-logger.js';
import { formatBar, formatPlain, type Throughput } from './progress-text.js';
import { Rate } from './rate.js';

/** Assumed width of a terminal that does not report one. */
const DEFAULT_COLUMNS = 80;
/** Time between two drawings of the bar, and between two plain lines. */
const REDRAW_MS = 100;
const PLAIN_MS = 5000;

/**
 * Starts the display of progress: a bar on a terminal, plain lines elsewhere.
 * @param stream stderr
 * @param nowMs clock in milliseconds
 */
export function startProgress(stream: NodeJS.WriteStream, nowMs: () => number): Progress {
  return stream.isTTY ? new BarProgress(stream, nowMs) : new PlainProgress(stream, nowMs);
}

/** Measures the throughput, and decides when to display it. */
abstract class TimedProgress implements Progress {
  private readonly samples = new Rate();
  private readonly steps = new Rate();
  private latest: ProgressState | undefined;
  /** When a state was last displayed; undefined: never. */
  private shownAtMs: number | undefined;
  private shown: ProgressState | undefined;
  private pausedMs = 0;

  constructor(
    private readonly nowMs: () => number,
    private readonly intervalMs: number,
  ) {}

  abstract say(line: string): void;
  protected abstract show(state: ProgressState, throughput: Throughput): void;

  begin(done: Pick<ProgressState, 'samples' | 'step'>): void {
    this.samples.restart();
    this.steps.restart();
    this.count(this.nowMs(), done);
  }

  update(state: ProgressState): void {
    const atMs = this.nowMs();
    this.count(atMs, state);
    this.latest = state;
    if (this.shownAtMs !== undefined && atMs - this.shownAtMs < this.intervalMs) return;
    this.shownAtMs = atMs;
    this.showLatest();
  }

  paused(ms: number): void {
    this.pausedMs += ms;
  }

  stop(): void {
    if (this.latest !== this.shown) this.showLatest();
  }

  private count(atMs: number, { samples, step }: Pick<ProgressState, 'samples' | 'step'>): void {
    this.samples.note(atMs - this.pausedMs, samples);
    this.steps.note(atMs - this.pausedMs, step);
  }

  private showLatest(): void {
    if (!this.latest) return;
    this.shown = this.latest;
    const throughput = { samplesPerSecond: this.samples.perSecond(), stepsPerSecond: this.steps.perSecond() };
    this.show(this.latest, throughput);
  }
}

class PlainProgress extends TimedProgress {
  constructor(
    private readonly stream: NodeJS.WriteStream,
    nowMs: () => number,
  ) {
    super(nowMs, PLAIN_MS);
  }

  say(line: string): void {
    this.stream.write(`${line}\n`);
  }

  protected show(state: ProgressState, throughput: Throughput): void {
    this.say(formatPlain(state, throughput));
  }
}

class BarProgress extends TimedProgress {
  private readonly bars: cliProgress.MultiBar;
  private bar: cliProgress.SingleBar | undefined;

  constructor(
    private readonly stream: NodeJS.WriteStream,
    nowMs: () => number,
  ) {
    super(nowMs, REDRAW_MS);
    this.bars = new cliProgress.MultiBar({
      stream,
      // A changed cursor or wrap mode would remain after a crash. The formatter cuts lines to the width.
      hideCursor: false,
      linewrap: true,
      // The command handles Ctrl-C, and stops the bar after it has saved.
      gracefulExit: false,
      fps: 1000 / REDRAW_MS,
      format: (_options, _params, payload: { line: string }) => payload.line,
    });
  }

  say(line: string): void {
    if (!this.bar) {
      this.stream.write(`${line}\n`);
      return;
    }
    this.bars.log(`${line}\n`);
    this.bars.update();
  }

  override stop(): void {
    super.stop();
    if (this.bar) this.bars.stop();
    this.bar = undefined;
  }

  protected show(state: ProgressState, throughput: Throughput): void {
    const line = formatBar(state, throughput, this.stream.columns || DEFAULT_COLUMNS);
    this.bar ??= this.bars.create(state.steps, 0, { line });
    this.bar.update(state.step, { line });
    this.bars.update();
  }
}
