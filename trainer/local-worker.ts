import type { Coordinator } from '../coordinator/run-coordinator.js';
import type { Clock } from '../shared/actor/clock.js';
import { inflateChunk } from '../shared/data/chunk-compression.js';
import type { Device } from '../shared/engine/device.js';
import { linkInProcess } from '../shared/link/in-process.js';
import type { SelfTestResult } from '../shared/protocol/messages.js';
import type { LeafRange } from '../shared/reduction/tree.js';
import { isRunOver } from '../worker/messages.js';
import { WorkerActor } from '../worker/run-worker.js';
import { type SharedComputation, SharedMemoryExecutor } from '../worker/shared-memory-executor.js';

/** What a local worker shares with its coordinator. */
interface Home {
  readonly device: Device;
  readonly coordinator: Coordinator;
  /** What computes on some of the device's threads. */
  readonly computationOn: (threads: LeafRange) => SharedComputation;
  readonly clock: Clock;
  /** Results of this machine's kernel self-test. */
  readonly selfTest: readonly SelfTestResult[];
}

/**
 * Starts a worker in the coordinator's process. It runs the same program as a remote worker, over an in-process link,
 * and computes on the coordinator's memory with a share of its threads. If it ends before the run does, the run fails.
 * @param threads those of the thread pool that it computes with
 */
export function startLocalWorker(
  { device, coordinator, computationOn, clock, selfTest }: Home,
  name: string,
  threads: LeafRange,
): void {
  const { backend, detail } = device.threadPool;
  const worker = new WorkerActor({
    identity: {
      name,
      backend,
      detail,
      threads: threads.to - threads.from,
      token: coordinator.token,
      selfTest,
    },
    executor: new SharedMemoryExecutor(computationOn(threads)),
    inflate: inflateChunk,
    clock,
    connect: async () => {
      const [here, there] = linkInProcess(['coordinator', name]);
      coordinator.attachLocal(here, threads);
      return there;
    },
    onNotice: () => {},
  });
  worker.ended.then(({ exitReason, reason }) => {
    if (!isRunOver(exitReason)) coordinator.fail(new Error(`${name} ended: ${reason}`));
  }, coordinator.fail);
}
