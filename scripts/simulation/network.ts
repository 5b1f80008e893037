import type { SeededRandom } from '../../shared/actor/seeded-random.js';
import type { VirtualClock } from '../../shared/actor/virtual-clock.js';

/** Longest usual and longest unusual delay of a message. */
const DELAY_MS = 10;
const HICCUP_MS = 400;
const HICCUP_CHANCE = 0.01;
/** Until an end learns that its connection is gone. */
const NEWS_MS_MAX = 1500;

type End = 'coordinator' | 'node';

/** One connection: each direction in order, each message at most once. */
export class Connection {
  private readonly lastMs = { coordinator: 0, node: 0 };
  private readonly isOpen = { coordinator: true, node: true };
  /** Nothing that is sent arrives any more; what is under way may. */
  private isCut = false;
  private stalledUntilMs = 0;

  constructor(
    readonly id: string,
    private readonly clock: VirtualClock,
    private readonly random: SeededRandom,
    /** Told once at each end when the connection is gone. */
    private readonly onClosed: (end: End, reason: string) => void,
  ) {}

  /** Whether an end still takes the connection for alive. */
  isUp(end: End): boolean {
    return this.isOpen[end];
  }

  /** Something reaches an end after some time, if the connection lasts. */
  send(to: End, arrive: () => void): void {
    if (this.isCut) return;
    this.later(to, () => {
      if (this.isOpen[to]) arrive();
    });
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
      this.clock.after(this.random.below(NEWS_MS_MAX), () => this.tell(end, reason));
  }

  /** A partition: nothing gets through for a while, and then everything does. */
  stall(ms: number): void {
    this.stalledUntilMs = Math.max(this.stalledUntilMs, this.clock.nowMs() + ms);
  }

  private later(to: End, act: () => void): void {
    const most = this.random.chance(HICCUP_CHANCE) ? HICCUP_MS : DELAY_MS;
    const now = this.clock.nowMs();
    const arrivesMs = Math.max(now, this.stalledUntilMs) + (this.random.below(1000) / 1000) * most;
    this.lastMs[to] = Math.max(this.lastMs[to], arrivesMs);
    this.clock.after(this.lastMs[to] - now, act);
  }

  private tell(end: End, reason: string): void {
    if (!this.isOpen[end]) return;
    this.isOpen[end] = false;
    this.onClosed(end, reason);
  }
}
