import { Program } from './process.js';
import { PacedExecutor, TestWorker } from './test-worker.js';

/** The step at which a run is held. */
const HELD_STEP = 6;

/** A run with a listening coordinator, which a worker of the test holds in the middle of a step until it is released. */
export class HeldRun {
  private worker: TestWorker | undefined;
  private pace: PacedExecutor | undefined;

  private constructor(
    readonly coordinator: Program,
    readonly url: string,
  ) {}

  /** @param words the command line of a training of more than a few steps */
  static async begin(words: readonly (string | number)[], folder: string): Promise<HeldRun> {
    const coordinator = new Program([...words, '--listen', '127.0.0.1:0', '--workers', 0], folder);
    return new HeldRun(coordinator, await coordinator.joinUrl());
  }

  /** Where the coordinator listens. */
  get address(): { host: string; port: number } {
    return { host: '127.0.0.1', port: Number(new URL(this.url).port) };
  }

  /** Resolves when the run is held. */
  async hold(): Promise<void> {
    this.worker = await TestWorker.join(this.url, 'guest', (inner) => {
      this.pace = new PacedExecutor(inner, HELD_STEP);
      return this.pace;
    });
    await this.pace?.whenHeld();
  }

  goOn(): void {
    this.pace?.release();
  }

  async end(): Promise<void> {
    await this.worker?.leave();
    this.coordinator.signal('SIGKILL');
    await this.coordinator.ended;
  }
}
