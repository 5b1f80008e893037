import { Program } from './process.js';
import { PacedWorkplace, TestNode } from './process-node.js';

/** The step at which a run is held. */
const HELD_STEP = 6;

/** A run whose coordinator listens, and which a node of the test's own holds in the midst of a step until it is let go. */
export class HeldRun {
  private node: TestNode | undefined;
  private pace: PacedWorkplace | undefined;

  private constructor(
    readonly coordinator: Program,
    readonly url: string,
  ) {}

  /** @param words what is trained, of more than a few steps */
  static async begin(words: readonly (string | number)[], folder: string): Promise<HeldRun> {
    const coordinator = new Program([...words, '--listen', '127.0.0.1:0', '--workers', 0], folder);
    return new HeldRun(coordinator, await coordinator.joinUrl());
  }

  /** Where it listens. */
  get address(): { host: string; port: number } {
    return { host: '127.0.0.1', port: Number(new URL(this.url).port) };
  }

  /** Resolves once the run stands still. */
  async hold(): Promise<void> {
    this.node = await TestNode.join(this.url, 'guest', (inner) => {
      this.pace = new PacedWorkplace(inner, HELD_STEP);
      return this.pace;
    });
    await this.pace?.standsStill();
  }

  goOn(): void {
    this.pace?.goOn();
  }

  async end(): Promise<void> {
    await this.node?.leave();
    this.coordinator.signal('SIGKILL');
    await this.coordinator.ended;
  }
}
