import type { Coordinator } from '../../coordinator/main.js';
import type { Clock } from '../../shared/actor/clock.js';
import type { Crew } from '../../shared/engine/crew.js';
import type { Machine } from '../../shared/engine/machine.js';
import { linkInProcess } from '../../shared/link/in-process.js';
import type { SelfTestResult } from '../../shared/protocol/messages.js';
import type { Range } from '../../shared/sum/leaves.js';
import { WorkerNode } from '../../worker/main.js';
import { Seat } from '../../worker/seat.js';

/** Where a local node lives. */
interface Home {
  readonly machine: Machine;
  readonly coordinator: Coordinator;
  readonly crew: Crew;
  readonly clock: Clock;
  /** What this machine's kernels made of the self-test. */
  readonly selfTest: readonly SelfTestResult[];
}

/**
 * A node in the coordinator's process: the same program as a remote one, over another kind of link, and with a seat in
 * the coordinator's crew in place of memory and threads of its own. It leaves when the run is over; if it ends before,
 * the program is at fault and the run fails.
 */
export function startLocalNode(
  { machine, coordinator, crew, clock, selfTest }: Home,
  name: string,
  threads: Range,
): void {
  const { backend, detail } = machine.team;
  const node = new WorkerNode({
    identity: {
      name,
      backend,
      detail,
      threads: threads.to - threads.from,
      token: coordinator.token,
      selfTest,
    },
    workplace: new Seat(crew, threads),
    clock,
    connect: async () => {
      const [here, there] = linkInProcess(['coordinator', name]);
      coordinator.seat(here, threads);
      return there;
    },
    onNotice: () => {},
  });
  node.ended.then(({ ending, reason }) => {
    if (ending !== 'finished') coordinator.fail(new Error(`${name} ended: ${reason}`));
  }, coordinator.fail);
}
