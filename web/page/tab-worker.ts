import type { Backend } from '../../shared/kernels/kernels.js';
import type { Contribution, LinkToPage, PageToLink } from '../worker/messages.js';

/** How far this tab has come as a worker. */
export type TabPhase =
  | { readonly kind: 'idle' }
  | { readonly kind: 'starting' }
  | { readonly kind: 'working'; readonly backend: Backend; readonly detail: string; readonly threads: number }
  | { readonly kind: 'leaving' }
  | { readonly kind: 'ended'; readonly reason: string; readonly isFailure: boolean };

/** This tab as a worker of a run. It starts only when it is asked to. */
export class TabWorker {
  phase: TabPhase = { kind: 'idle' };
  /** Samples computed since it joined. */
  samples = 0;
  /** The latest notice, such as why the connection was lost. */
  notice = '';
  private worker: Worker | undefined;

  /** @param onChange called after every change of the fields above */
  constructor(
    private readonly joinUrl: string,
    private readonly token: string,
    private readonly onChange: () => void,
  ) {}

  /** Joins the run. */
  join(contribution: Contribution): void {
    this.worker?.terminate();
    const worker = new Worker(new URL('../worker/link-worker.js', import.meta.url), {
      type: 'module',
      name: 'link',
    });
    this.worker = worker;
    this.samples = 0;
    this.notice = '';
    worker.addEventListener('message', ({ data }: MessageEvent<LinkToPage>) => this.receive(data));
    worker.addEventListener('error', ({ message = 'it could not be loaded' }) =>
      this.end(`the worker of this tab died: ${message}`, true),
    );
    const { joinUrl: url, token } = this;
    this.post({ kind: 'join', url, token, contribution, isIsolated: crossOriginIsolated });
    this.enter({ kind: 'starting' });
  }

  /** Changes the fraction of the time in which the threads compute. */
  pace(share: number): void {
    this.post({ kind: 'share', share });
  }

  /** Leaves the run. What this tab still owes is assigned to others. */
  leave(): void {
    if (this.phase.kind !== 'starting' && this.phase.kind !== 'working') return;
    this.post({ kind: 'leave' });
    this.enter({ kind: 'leaving' });
  }

  private post(message: PageToLink): void {
    this.worker?.postMessage(message);
  }

  private receive(message: LinkToPage): void {
    switch (message.kind) {
      case 'started':
        if (this.phase.kind === 'starting') this.enter({ ...message, kind: 'working' });
        return;
      case 'computed':
        this.samples = message.samples;
        return this.onChange();
      case 'notice':
        this.notice = message.text;
        return this.onChange();
      case 'ended':
        return this.end(message.reason, message.exitReason !== 'finished' && message.exitReason !== 'left');
      default:
        message satisfies never;
    }
  }

  private end(reason: string, isFailure: boolean): void {
    this.worker?.terminate();
    this.worker = undefined;
    this.enter({ kind: 'ended', reason, isFailure });
  }

  private enter(phase: TabPhase): void {
    this.phase = phase;
    this.onChange();
  }
}
