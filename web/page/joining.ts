/*
 * The part of the page with which this tab joins the run. It is a script of its own: those who only watch do not load it.
 */
import { render } from 'lit-html';
import { systemClock } from '../../shared/actor/clock.js';
import { ChunkCache } from '../worker/chunk-cache.js';
import { type Power, watchPower } from './battery.js';
import { type Choice, contributionOf, suggestedChoice } from './contribution.js';
import { type JoinActions, joinView } from './join-view.js';
import { TabWorker } from './tab-worker.js';

/** Where the choice to pause on battery is remembered. */
const PAUSE_KEY = 'unisum pause on battery';

/** Shows the state of this tab as a worker, and does what its user asks for. */
export class Joining {
  private readonly tab: TabWorker;
  private choice: Choice = suggestedChoice();
  private power: Power = 'unknown';
  private pausesOnBattery = localStorage.getItem(PAUSE_KEY) !== null;
  /** Bytes of data that this browser keeps; undefined when it cannot keep any. */
  private keptBytes: number | undefined;
  /** Chunks that the tab had kept when the bytes were counted last. */
  private counted = 0;
  private isCounting = false;
  private isCountDue = false;
  private isDrawing = false;

  /**
   * @param root where it is shown
   * @param onRunOver called when the coordinator has said that the run is over
   */
  constructor(
    private readonly root: HTMLElement,
    joinUrl: string,
    token: string,
    onRunOver: () => void,
  ) {
    this.tab = new TabWorker(joinUrl, token, () => this.tabChanged(), onRunOver);
    addEventListener('pagehide', () => this.tab.leave());
    void watchPower((power) => {
      this.power = power;
      this.powerChanged();
    });
    void this.countKept();
    this.changed();
  }

  /** Whether this tab computes for the run. */
  get isComputing(): boolean {
    return this.tab.phase.kind === 'working';
  }

  private tabChanged(): void {
    const { keptChunks } = this.tab;
    if (keptChunks !== this.counted) {
      this.counted = keptChunks;
      void this.countKept();
    }
    this.changed();
  }

  private powerChanged(): void {
    this.tab.hold(this.pausesOnBattery && this.power === 'battery');
    this.changed();
  }

  /** Asks once at a time: every chunk that is kept is a change. */
  private async countKept(): Promise<void> {
    this.isCountDue = true;
    if (this.isCounting) return;
    this.isCounting = true;
    while (this.isCountDue) {
      this.isCountDue = false;
      await this.withCache(async (cache) => {
        this.keptBytes = await cache.bytes();
      });
    }
    this.isCounting = false;
    this.changed();
  }

  private async clear(): Promise<void> {
    await this.withCache((cache) => cache.clear());
    await this.countKept();
  }

  private async withCache(use: (cache: ChunkCache) => Promise<void>): Promise<void> {
    try {
      const cache = await ChunkCache.open(systemClock);
      await use(cache);
      cache.close();
    } catch {
      this.keptBytes = undefined;
    }
  }

  /** Draws once before the browser's next frame, however often something has changed. */
  private changed(): void {
    if (this.isDrawing) return;
    this.isDrawing = true;
    requestAnimationFrame(() => {
      this.isDrawing = false;
      const { tab, choice, power, pausesOnBattery, keptBytes } = this;
      render(joinView(tab, { choice, power, pausesOnBattery, keptBytes }, this.actions), this.root);
    });
  }

  private readonly actions: JoinActions = {
    change: (part) => {
      this.choice = { ...this.choice, ...part };
      if (part.percent !== undefined) this.tab.pace(part.percent / 100);
      this.changed();
    },
    pauseOnBattery: (isWished) => {
      this.pausesOnBattery = isWished;
      if (isWished) localStorage.setItem(PAUSE_KEY, 'yes');
      else localStorage.removeItem(PAUSE_KEY);
      this.powerChanged();
    },
    join: () => this.tab.join(contributionOf(this.choice)),
    leave: () => this.tab.leave(),
    clear: () => void this.clear(),
  };
}
