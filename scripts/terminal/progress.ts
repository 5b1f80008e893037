import cliProgress from 'cli-progress';
import { formatBar, formatPlain, type Pace, type ProgressState } from './progress-text.js';
import { Rate } from './rate.js';

/** Columns to assume where the terminal does not say. */
const USUAL_COLUMNS = 80;
/** Time between two drawings of the bar and between two plain lines, in milliseconds. */
const REDRAW_MS = 100;
const PLAIN_MS = 5000;

/** Shows how far a run has come: a bar on a terminal, a plain line now and then in a log. */
export interface Progress {
  /** Takes the newest state and shows it when it is time to; cheap enough to be called on every step. */
  update(state: ProgressState): void;
  /** Prints a line for people, above the bar where there is one. */
  say(line: string): void;
  /** Shows the last state and gives the terminal back. A second time it does nothing; `say` goes on working. */
  stop(): void;
}

/**
 * @param stream stderr; a bar is drawn when it is a terminal
 * @param nowMs clock in milliseconds
 */
export function startProgress(stream: NodeJS.WriteStream, nowMs: () => number): Progress {
  return stream.isTTY ? new BarProgress(stream, nowMs) : new PlainProgress(stream, nowMs);
}

/** Measures the pace, and decides when `show` is due. */
abstract class TimedProgress implements Progress {
  private readonly samples = new Rate();
  private readonly steps = new Rate();
  private latest: ProgressState | undefined;
  /** When `latest` was shown last; undefined: never. */
  private shownAtMs: number | undefined;
  private shown: ProgressState | undefined;

  constructor(
    private readonly nowMs: () => number,
    private readonly intervalMs: number,
  ) {}

  abstract say(line: string): void;
  protected abstract show(state: ProgressState, pace: Pace): void;

  update(state: ProgressState): void {
    const atMs = this.nowMs();
    this.samples.note(atMs, state.samples);
    this.steps.note(atMs, state.step);
    this.latest = state;
    if (this.shownAtMs !== undefined && atMs - this.shownAtMs < this.intervalMs) return;
    this.shownAtMs = atMs;
    this.showLatest();
  }

  stop(): void {
    if (this.latest !== this.shown) this.showLatest();
  }

  private showLatest(): void {
    if (!this.latest) return;
    this.shown = this.latest;
    const pace = { samplesPerSecond: this.samples.perSecond(), stepsPerSecond: this.steps.perSecond() };
    this.show(this.latest, pace);
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

  protected show(state: ProgressState, pace: Pace): void {
    this.say(formatPlain(state, pace));
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
      // Both would outlive a program that ends without a goodbye. Lines are cut to the width by the formatter.
      hideCursor: false,
      linewrap: true,
      // Ctrl-C is the command's to handle; it stops the bar when it has saved.
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

  protected show(state: ProgressState, pace: Pace): void {
    const line = formatBar(state, pace, this.stream.columns || USUAL_COLUMNS);
    this.bar ??= this.bars.create(state.steps, 0, { line });
    this.bar.update(state.step, { line });
    this.bars.update();
  }
}
