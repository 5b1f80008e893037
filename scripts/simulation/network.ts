import type { Cancel } from '../../shared/actor/clock.js';
import type { VirtualClock } from '../../shared/actor/virtual-clock.js';

/** Between any two frames one way: more than what is lost where times are added, or two would change places. */
const BEHIND_MS = 1e-6;
/** Between two frames that were held up and arrive at last. */
const APART_MS = 0.1;

export type End = 'coordinator' | 'node';

/** How long things take on a network. */
export interface Weather {
  /** How long the next frame is under way. */
  delayMs(): number;
  /** Until the next end learns that its connection is gone. */
  newsMs(): number;
  /** A coordinator that has said nothing for so long is gone, for a node. */
  readonly silenceMs: number;
}

/** A frame under way to the coordinator. */
interface Frame {
  readonly arrive: () => void;
  readonly cancel: Cancel;
}

/** One connection: each direction in order, each frame at most once; unless it lingers. */
export class Connection {
  private readonly lastMs = { coordinator: 0, node: 0 };
  private readonly isOpen = { coordinator: true, node: true };
  private readonly underWay = new Set<Frame>();
  /** Nothing that is sent arrives any more; what is under way may. */
  private isCut = false;
  private stalledUntilMs = 0;
  private heardMs: number;

  constructor(
    readonly id: string,
    private readonly clock: VirtualClock,
    private readonly weather: Weather,
    /** Told once at each end when the connection is gone. */
    private readonly onClosed: (end: End, reason: string) => void,
  ) {
    this.heardMs = clock.nowMs();
    if (weather.silenceMs < Number.POSITIVE_INFINITY) this.watch(weather.silenceMs);
  }

  /** Whether what is sent now arrives, and soon. */
  get carries(): boolean {
    return !this.isCut && this.stalledUntilMs <= this.clock.nowMs();
  }

  /** Something reaches an end after some time, if the connection lasts. */
  send(to: End, arrive: () => void): void {
    if (this.isCut) return;
    if (to === 'node') {
      this.later(to, () => {
        if (!this.isOpen.node) return;
        this.heardMs = this.clock.nowMs();
        arrive();
      });
      return;
    }
    const cancel = this.later(to, () => {
      this.underWay.delete(frame);
      if (this.isOpen.coordinator) arrive();
    });
    const frame = { arrive, cancel };
    this.underWay.add(frame);
  }

  /** One end closes in an orderly way: behind what it has said. */
  close(by: End, reason: string): void {
    if (!this.isOpen[by]) return;
    const other = by === 'node' ? 'coordinator' : 'node';
    this.later(other, () => this.tell(other, reason));
    this.isCut = true;
    this.clock.after(0, () => this.tell(by, reason));
  }

  /** The cable is pulled, or the other machine is gone: each end hears of it in its own time. */
  cut(reason: string): void {
    if (this.isCut) return;
    this.isCut = true;
    for (const end of ['coordinator', 'node'] as const)
      this.clock.after(this.weather.newsMs(), () => this.tell(end, reason));
  }

  /** Nothing gets through for a while, and then everything does. */
  stall(ms: number): void {
    this.stalledUntilMs = Math.max(this.stalledUntilMs, this.clock.nowMs() + ms);
  }

  /**
   * The node's end breaks, and the node connects anew; the coordinator's does not know of it. What was under way
   * arrives after all, when the new connection is long in use, and some of it again: the link may be over by then.
   */
  linger(ms: number, isDoubled: () => boolean): void {
    if (this.isCut) return;
    this.isCut = true;
    this.tell('node', 'the connection was reset');
    const frames = [...this.underWay];
    const again = frames.filter(isDoubled);
    this.underWay.clear();
    for (const { cancel } of frames) cancel();
    for (const [i, { arrive }] of [...frames, ...again].entries())
      this.clock.after(ms + i * APART_MS, arrive);
  }

  private later(to: End, act: () => void): Cancel {
    const now = this.clock.nowMs();
    const arrivesMs = Math.max(now, this.stalledUntilMs) + this.weather.delayMs();
    this.lastMs[to] = Math.max(this.lastMs[to] + BEHIND_MS, arrivesMs);
    return this.clock.after(this.lastMs[to] - now, act);
  }

  private watch(waitMs: number): void {
    this.clock.after(waitMs, () => {
      if (!this.isOpen.node) return;
      const restMs = this.heardMs + this.weather.silenceMs - this.clock.nowMs();
      if (restMs > 0) return this.watch(restMs);
      this.tell('node', 'the coordinator was silent');
      this.cut('the node hung up');
    });
  }

  private tell(end: End, reason: string): void {
    if (!this.isOpen[end]) return;
    this.isOpen[end] = false;
    this.onClosed(end, reason);
  }
}
