import { systemClock } from '../../shared/actor/clock.js';
import { inflateChunk } from '../../shared/data/chunk-compression.js';
import { Device } from '../../shared/engine/device.js';
import { nodePlatform } from '../../shared/engine/node-platform.js';
import type { PartialSum } from '../../shared/engine/step/partial-sum-addition.js';
import type { Link } from '../../shared/link/link.js';
import { connectWebSocket } from '../../shared/link/web-socket-client.js';
import { parseJoinUrl } from '../../shared/protocol/join-url.js';
import type { Run } from '../../shared/protocol/messages.js';
import { DelegatingExecutor } from '../../worker/delegating-executor.js';
import type { Computation, Computed, ComputeEvents, Executor, Prepared } from '../../worker/executor.js';
import { RemoteExecutor } from '../../worker/remote-executor.js';
import { WorkerActor, type WorkerEnd } from '../../worker/run-worker.js';

/** A remote worker in the test's own process, so that the test controls how fast and how correctly it computes. */
export class TestWorker {
  private constructor(
    private readonly machine: Device,
    private readonly worker: WorkerActor,
  ) {}

  /**
   * @param wrap wraps the correct executor in one of the test's
   * @param shape makes a link as slow as the test needs it
   */
  static async join(
    url: string,
    name: string,
    wrap: (inner: Executor) => Executor,
    onNotice: (text: string) => void = () => {},
    shape: (link: Link) => Link = (link) => link,
  ): Promise<TestWorker> {
    const address = parseJoinUrl(url);
    const machine = await Device.start(1, 'wasm', nodePlatform());
    const { threadPool } = machine;
    const { backend, detail } = threadPool;
    const worker = new WorkerActor({
      identity: { name, backend, detail, threads: 1, token: address.token, selfTest: machine.selfTest() },
      executor: wrap(new RemoteExecutor(machine)),
      clock: systemClock,
      inflate: inflateChunk,
      connect: async () => shape(await connectWebSocket(address, systemClock)),
      onNotice,
    });
    return new TestWorker(machine, worker);
  }

  /** How it ended. */
  get ended(): Promise<WorkerEnd> {
    return this.worker.ended;
  }

  /** Leaves, if the run has not ended, and stops the threads. */
  async leave(): Promise<WorkerEnd> {
    this.worker.leave();
    const end = await this.worker.ended;
    await this.machine.stop();
    return end;
  }
}

/** Tells when its worker has been admitted to a run. */
export class AdmittedExecutor extends DelegatingExecutor {
  private readonly admitted = signal();

  /** Resolves when it is admitted. */
  whenAdmitted(): Promise<void> {
    return this.admitted.promise;
  }

  override prepare(run: Run): Promise<Prepared> {
    this.admitted.fire();
    return super.prepare(run);
  }
}

/** Computes correctly, but holds the run at a step until it is released. */
export class PacedExecutor extends DelegatingExecutor {
  private isReleased = false;
  private readonly reached = signal();
  private readonly released = signal();

  /** @param step the first step that waits */
  constructor(
    inner: Executor,
    private readonly step: number,
  ) {
    super(inner);
  }

  /** Resolves when the run has reached the step. */
  whenHeld(): Promise<void> {
    return this.reached.promise;
  }

  /** Lets the run go on. */
  release(): void {
    this.isReleased = true;
    this.released.fire();
  }

  override async compute(computation: Computation, events: ComputeEvents): Promise<Computed | undefined> {
    if (!this.isReleased && computation.step >= this.step) {
      this.reached.fire();
      await this.released.promise;
    }
    return super.compute(computation, events);
  }
}

/** Sends partial sums with one wrong bit, as broken memory or a malicious worker would. */
export class FaultyExecutor extends DelegatingExecutor {
  private step = -1;

  /** @param faultyFrom the first step with wrong sums. Only one step is not enough: others may compute all of its leaves */
  constructor(
    inner: Executor,
    private readonly faultyFrom: number,
  ) {
    super(inner);
  }

  override compute(computation: Computation, events: ComputeEvents): Promise<Computed | undefined> {
    this.step = computation.step;
    return super.compute(computation, events);
  }

  override vectors(partialSums: readonly PartialSum[]): ReturnType<Executor['vectors']> {
    const vectors = super.vectors(partialSums);
    if (vectors === undefined || this.step < this.faultyFrom) return vectors;
    const [right, ...others] = vectors.views as [Uint8Array, ...Uint8Array[]];
    const wrong = new Uint8Array(right);
    // The highest bit of the fraction of the first number that is not zero.
    const words = new Uint32Array(wrong.buffer);
    const at = words.findIndex((word) => word !== 0);
    words[at] = (words[at] as number) ^ 0x0040_0000;
    return { cut: vectors.cut, views: [wrong, ...others] };
  }
}

function signal(): { promise: Promise<void>; fire: () => void } {
  let fire: () => void = () => {};
  const promise = new Promise<void>((resolve) => {
    fire = resolve;
  });
  return { promise, fire };
}
