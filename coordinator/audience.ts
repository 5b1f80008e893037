import type { Cancel, Clock } from '../shared/actor/clock.js';
import type { FrameBounds, Link } from '../shared/link/link.js';
import type { News, RunProgressNews } from '../shared/protocol/watch-messages.js';

/** Shortest time between two tellings of progress: as often as people can follow. */
const PROGRESS_EVERY_MS = 250;

/** What one who watches may send: a pong. */
const WATCHER_BOUNDS: FrameBounds = { headerBytesMax: 1024, payloadBytesMax: () => 0 };

/** Those who watch a run. What they are told is what the run tells its own terminal; a run knows nothing of them. */
export class Audience {
  private readonly links = new Map<string, Link>();
  /** What whoever comes now is told first: the latest of each kind. */
  private readonly latest = new Map<News['kind'], News>();
  /** Progress that was not told yet. */
  private pending: RunProgressNews | undefined;
  private toldAtMs = Number.NEGATIVE_INFINITY;
  private cancel: Cancel = () => {};

  constructor(private readonly clock: Clock) {}

  /** Someone has proven the right to watch. @param proof the coordinator's own */
  seat(id: string, link: Link, proof: string): void {
    this.links.set(id, link);
    link.admit(WATCHER_BOUNDS);
    link.send({ kind: 'watching', proof });
    for (const news of this.latest.values()) link.send(news);
  }

  /** Someone is gone. */
  leave(id: string): void {
    this.links.delete(id);
  }

  /** Tells all: progress at most a few times a second, anything else at once. */
  publish(news: News): void {
    this.latest.set(news.kind, news);
    if (news.kind !== 'progress') {
      this.tellPending();
      return this.tell(news);
    }
    const waitMs = this.toldAtMs + PROGRESS_EVERY_MS - this.clock.nowMs();
    const isAwaited = this.pending !== undefined;
    this.pending = news;
    if (waitMs <= 0) this.tellPending();
    else if (!isAwaited) this.cancel = this.clock.after(waitMs, () => this.tellPending());
  }

  /** Nothing more is told. */
  close(): void {
    this.cancel();
    this.pending = undefined;
  }

  private tellPending(): void {
    const { pending } = this;
    this.close();
    if (pending === undefined) return;
    this.toldAtMs = this.clock.nowMs();
    this.tell(pending);
  }

  private tell(news: News): void {
    for (const link of this.links.values()) link.send(news);
  }
}
