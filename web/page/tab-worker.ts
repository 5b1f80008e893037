import { type Cancel, systemClock } from '../../shared/actor/clock.js';
import type { Backend } from '../../shared/kernels/kernels.js';
import { isRunOver } from '../../worker/messages.js';
import type { DataOrigin } from '../worker/cached-executor.js';
import type { Contribution, LinkToPage, PageToLink } from '../worker/messages.js';
import { PageThreads } from './page-threads.js';

/** Longest time in which a worker loads its kernels and tests them; half a minute on a busy machine. */
const START_MS_MAX = 90_000;

/** How far this tab has come as a worker. */
export type TabPhase =
  | { readonly kind: 'idle' }
  | { readonly kind: 'starting' }
  | { readonly kind: 'working'; readonly backend: Backend; readonly detail: string; readonly threads: number }
  | { readonly kind: 'leaving' }
  /** It has left the run, and joins again when it is held no longer. */
  | { readonly kind: 'paused' }
  | { readonly kind: 'ended'; readonly reason: string; readonly isFailure: boolean };

/** This tab as a worker of a run. It starts only when it is asked to. */
export class TabWorker {
  phase: TabPhase = { kind: 'idle' };
  /** Samples computed since its user let it join. */
  samples = 0;
  /** The latest notice, such as why the connection was lost. */
  notice = '';
  /** Where its data came from; undefined before there is any. */
  data: DataOrigin | undefined;
  /** Chunks that the worker has put into what this browser keeps. */
  keptChunks = 0;
  /** Why this browser keeps no data; '' when it does. */
  keepsNoData = '';
  /** What its user wants it to contribute; undefined when it is not to take part. */
  private wanted: Contribution | undefined;
  /** Whether it is not to take part for the time being. */
  private isHeld = false;
  /** Samples computed before it paused. */
  private samplesBefore = 0;
  private worker: Worker | undefined;
  private threads: PageThreads | undefined;
  private cancelWait: Cancel = () => {};

  /**
   * @param onChange called after every change of the fields above
   * @param onRunOver called when the coordinator has said that the run is over
   */
  constructor(
    private readonly joinUrl: string,
    private readonly token: string,
    private readonly onChange: () => void,
    private readonly onRunOver: () => void,
  ) {}

  /** Joins the run, or waits until it is held no longer. */
  join(contribution: Contribution): void {
    this.wanted = contribution;
    this.samplesBefore = 0;
    this.samples = 0;
    if (this.isHeld) return this.enter({ kind: 'paused' });
    this.start(contribution);
  }

  /** Changes the fraction of the time in which the threads compute. */
  pace(share: number): void {
    if (this.wanted !== undefined) this.wanted = { ...this.wanted, share };
    this.post({ kind: 'share', share });
  }

  /** Leaves the run. What this tab still owes is assigned to others. */
  leave(): void {
    this.wanted = undefined;
    if (this.phase.kind === 'paused') this.end('left by its user', false);
    else this.stop();
  }

  /** Leaves the run until it is held no longer, and joins it again then. */
  hold(isHeld: boolean): void {
    this.isHeld = isHeld;
    if (this.wanted === undefined) return;
    if (isHeld) this.stop();
    else if (this.phase.kind === 'paused') this.resume(this.wanted);
  }

  private start(contribution: Contribution): void {
    this.terminate();
    const worker = new Worker(new URL('../worker/link-worker.js', import.meta.url), {
      type: 'module',
      name: 'link',
    });
    this.worker = worker;
    const threads = new PageThreads(worker);
    this.threads = threads;
    this.notice = '';
    this.data = undefined;
    this.keepsNoData = '';
    worker.addEventListener('message', ({ data }: MessageEvent<LinkToPage>) => this.receive(data, threads));
    worker.addEventListener('error', ({ message = 'it could not be loaded' }) =>
      this.end(`the worker of this tab died: ${message}`, true),
    );
    const { joinUrl: url, token } = this;
    this.post({ kind: 'join', url, token, contribution, isIsolated: crossOriginIsolated });
    this.enter({ kind: 'starting' });
  }

  private resume(contribution: Contribution): void {
    this.samplesBefore = this.samples;
    this.start(contribution);
  }

  private stop(): void {
    if (this.phase.kind !== 'starting' && this.phase.kind !== 'working') return;
    this.post({ kind: 'leave' });
    this.enter({ kind: 'leaving' });
  }

  private post(message: PageToLink): void {
    this.worker?.postMessage(message);
  }

  private receive(message: LinkToPage, threads: PageThreads): void {
    switch (message.kind) {
      case 'start-thread':
      case 'stop-threads':
        return threads.handle(message);
      case 'started':
        if (this.phase.kind === 'starting') this.enter({ ...message, kind: 'working' });
        return;
      case 'computed':
        this.samples = this.samplesBefore + message.samples;
        return this.onChange();
      case 'notice':
        this.notice = message.text;
        return this.onChange();
      case 'data':
        this.data = message.origin;
        return this.onChange();
      case 'kept':
        this.keptChunks += 1;
        return this.onChange();
      case 'keeps-no-data':
        this.keepsNoData = message.reason;
        return this.onChange();
      case 'ended':
        return this.ended(message);
      default:
        message satisfies never;
    }
  }

  private ended({ exitReason, reason }: Extract<LinkToPage, { kind: 'ended' }>): void {
    const { wanted } = this;
    const isOver = isRunOver(exitReason);
    if (isOver) this.onRunOver();
    if (exitReason !== 'left' || wanted === undefined)
      return this.end(reason, !isOver && exitReason !== 'left');
    this.terminate();
    if (this.isHeld) this.enter({ kind: 'paused' });
    else this.resume(wanted);
  }

  private end(reason: string, isFailure: boolean): void {
    this.wanted = undefined;
    this.terminate();
    this.enter({ kind: 'ended', reason, isFailure });
  }

  private terminate(): void {
    this.threads?.terminate();
    this.threads = undefined;
    this.worker = undefined;
  }

  private enter(phase: TabPhase): void {
    this.phase = phase;
    this.cancelWait();
    if (phase.kind === 'starting')
      this.cancelWait = systemClock.after(START_MS_MAX, () =>
        this.end(`the kernels were not loaded within ${START_MS_MAX / 1000} s; join again`, true),
      );
    this.onChange();
  }
}
