import { selfTest } from '../../scripts/training/self-test.js';
import { systemClock } from '../../shared/actor/clock.js';
import { Machine } from '../../shared/engine/machine.js';
import type { Partial } from '../../shared/engine/partials.js';
import { connectWebSocket } from '../../shared/link/web-socket-client.js';
import { parseJoinUrl } from '../../shared/protocol/join-url.js';
import type { Run } from '../../shared/protocol/messages.js';
import type { Range } from '../../shared/sum/leaves.js';
import { type NodeEnd, WorkerNode } from '../../worker/main.js';
import { OwnWorkplace } from '../../worker/own-workplace.js';
import type { Prepared, Workplace } from '../../worker/workplace.js';

/** A remote node that lives in the test's own process, so that the test decides how fast and how well it works. */
export class TestNode {
  private constructor(
    private readonly machine: Machine,
    private readonly node: WorkerNode,
  ) {}

  /** @param wrap what the node computes with, around a workplace that does it right */
  static async join(url: string, name: string, wrap: (inner: Workplace) => Workplace): Promise<TestNode> {
    const address = parseJoinUrl(url);
    const machine = await Machine.start(1, 'wasm');
    const { team, memory } = machine;
    const { backend, detail } = team;
    const node = new WorkerNode({
      identity: { name, backend, detail, threads: 1, token: address.token, selfTest: selfTest(machine) },
      workplace: wrap(new OwnWorkplace(memory, team)),
      clock: systemClock,
      connect: () => connectWebSocket(address, systemClock),
      onNotice: () => {},
    });
    return new TestNode(machine, node);
  }

  /** How its life ended. */
  get ended(): Promise<NodeEnd> {
    return this.node.ended;
  }

  /** Leaves, if the run has not ended, and lets the threads go. */
  async leave(): Promise<NodeEnd> {
    this.node.leave();
    const end = await this.node.ended;
    await this.machine.stop();
    return end;
  }
}

/** A workplace that does what another does. */
class SameWorkplace implements Workplace {
  constructor(protected readonly inner: Workplace) {}

  prepare(run: Run): Promise<Prepared> {
    return this.inner.prepare(run);
  }

  store(index: number, bytes: Uint8Array): boolean {
    return this.inner.store(index, bytes);
  }

  loadWeights(bytes: Uint8Array): void {
    this.inner.loadWeights(bytes);
  }

  compute(step: number, range: Range): Promise<readonly Partial[]> {
    return this.inner.compute(step, range);
  }

  payload(partials: readonly Partial[]): Uint8Array | undefined {
    return this.inner.payload(partials);
  }
}

/** Computes as it should, but begins a chosen step only when it is let: the run stands still until then. */
export class PacedWorkplace extends SameWorkplace {
  private isHolding = true;
  private readonly reached = signal();
  private readonly released = signal();

  /** @param step the first one that waits */
  constructor(
    inner: Workplace,
    private readonly step: number,
  ) {
    super(inner);
  }

  /** Resolves when the run has come to the step that waits. */
  standsStill(): Promise<void> {
    return this.reached.promise;
  }

  /** Lets the run go on. */
  goOn(): void {
    this.isHolding = false;
    this.released.fire();
  }

  override async compute(step: number, range: Range): Promise<readonly Partial[]> {
    if (this.isHolding && step >= this.step) {
      this.reached.fire();
      await this.released.promise;
    }
    return super.compute(step, range);
  }
}

/** Hands in partial sums in one of which one bit is wrong: what broken memory or a liar would do. */
export class FaultyWorkplace extends SameWorkplace {
  private step = -1;

  /** @param faultyFrom the first step whose sums are spoilt: of one step alone all leaves may be done by others */
  constructor(
    inner: Workplace,
    private readonly faultyFrom: number,
  ) {
    super(inner);
  }

  override compute(step: number, range: Range): Promise<readonly Partial[]> {
    this.step = step;
    return super.compute(step, range);
  }

  override payload(partials: readonly Partial[]): Uint8Array | undefined {
    const bytes = super.payload(partials);
    if (bytes === undefined || this.step < this.faultyFrom) return bytes;
    const spoilt = new Uint8Array(bytes);
    // The highest bit of the fraction of the first number that is not zero.
    const words = new Uint32Array(spoilt.buffer);
    const at = words.findIndex((word) => word !== 0);
    words[at] = (words[at] as number) ^ 0x0040_0000;
    return spoilt;
  }
}

function signal(): { promise: Promise<void>; fire: () => void } {
  let fire: () => void = () => {};
  const promise = new Promise<void>((resolve) => {
    fire = resolve;
  });
  return { promise, fire };
}
