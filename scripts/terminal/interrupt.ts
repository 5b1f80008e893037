import type { EventEmitter } from 'node:events';
import type { Cancel, Clock } from '../../shared/actor/clock.js';

/** Ctrl-C, and the request to terminate that service managers send. */
const SIGNALS = ['SIGINT', 'SIGTERM'] as const;
export type Interrupt = (typeof SIGNALS)[number];

/** Exit status after a signal: 128 plus its number, as in shells. */
const STATUS: { readonly [S in Interrupt]: number } = { SIGINT: 130, SIGTERM: 143 };
/**
 * Under npm one Ctrl-C arrives twice, from the terminal and from npm. A signal counts as the second one only after this
 * time.
 */
const ECHO_MS = 500;
/** How long an interrupted command may take that has nothing to save, in milliseconds. */
const RETURN_MS_MAX = 800;

/** Exit status of an interrupted command. */
export function interruptedStatus(interrupted: AbortSignal): number {
  return STATUS[interrupted.reason as Interrupt] ?? STATUS.SIGINT;
}

/**
 * What SIGINT and SIGTERM do. Before a command reads `signal`, the system ends the process at once, whatever it is busy
 * with: reading data, computing, waiting. From then on the first signal aborts `signal`, with its name as the reason, and
 * the process ends when the command returns, within a second unless it holds on to save something. A second signal,
 * from somebody who does not want to wait for that, ends it at once.
 */
export class Interrupts {
  private controller: AbortController | undefined;
  private holds = 0;
  private firstAtMs: number | undefined;
  private cancelExit: Cancel = () => {};

  /**
   * @param source emits SIGINT and SIGTERM: `process`
   * @param exit ends the process
   */
  constructor(
    private readonly source: EventEmitter,
    private readonly clock: Clock,
    private readonly exit: (status: number) => void,
  ) {}

  /** Aborted by the first signal. */
  get signal(): AbortSignal {
    if (this.controller === undefined) {
      this.controller = new AbortController();
      for (const name of SIGNALS) this.source.on(name, () => this.onSignal(name));
    }
    return this.controller.signal;
  }

  /** As by the first Ctrl-C. */
  interrupt(): void {
    const { signal } = this;
    if (!signal.aborted) this.onSignal('SIGINT');
  }

  /** Lets an interrupted command take as long as it needs, until the function that is returned is called. */
  hold(): () => void {
    this.holds += 1;
    this.cancelExit();
    let isHeld = true;
    return () => {
      if (!isHeld) return;
      isHeld = false;
      this.holds -= 1;
      if (this.firstAtMs !== undefined) this.exitSoon();
    };
  }

  private onSignal(name: Interrupt): void {
    const nowMs = this.clock.nowMs();
    if (this.firstAtMs === undefined) {
      this.firstAtMs = nowMs;
      this.controller?.abort(name);
      this.exitSoon();
    } else if (nowMs - this.firstAtMs >= ECHO_MS) {
      this.exit(interruptedStatus(this.signal));
    }
  }

  private exitSoon(): void {
    if (this.holds > 0) return;
    this.cancelExit = this.clock.after(RETURN_MS_MAX, () => this.exit(interruptedStatus(this.signal)));
  }
}
