/*
 * A worker process of a scaling benchmark: what `unisum worker` is, and at its end it tells what its steps took. Its
 * arguments: join URL, name, threads, backend.
 */
import { systemClock } from '../../shared/actor/clock.js';
import { Machine } from '../../shared/engine/machine.js';
import type { Partial } from '../../shared/engine/partials.js';
import type { Backend } from '../../shared/kernels/kernels.js';
import type { Link, LinkEvents } from '../../shared/link/link.js';
import { connectWebSocket } from '../../shared/link/web-socket-client.js';
import { parseJoinUrl } from '../../shared/protocol/join-url.js';
import type { Range } from '../../shared/sum/leaves.js';
import { WorkerNode } from '../../worker/main.js';
import { OwnWorkplace } from '../../worker/own-workplace.js';
import { selfTest } from '../training/self-test.js';
import type { WorkerReport } from './worker-report.js';

/** Times each step's computation. */
class TimedWorkplace extends OwnWorkplace {
  readonly computeMs: number[] = [];

  override async compute(step: number, leaves: Range): Promise<readonly Partial[]> {
    const begunMs = systemClock.nowMs();
    const partials = await super.compute(step, leaves);
    this.computeMs[step] = (this.computeMs[step] ?? 0) + systemClock.nowMs() - begunMs;
    return partials;
  }
}

/** Counts the bytes of weights and of partial sums that a link carries. */
class PayloadCount {
  bytes = 0;

  watch(link: Link): Link {
    return {
      peer: link.peer,
      get bufferedBytes() {
        return link.bufferedBytes;
      },
      open: (events: LinkEvents) =>
        link.open({
          ...events,
          message: (envelope) => {
            this.add(envelope.message, envelope.payload);
            events.message(envelope);
          },
        }),
      send: (message, payload) => {
        this.add(message, payload);
        link.send(message, payload);
      },
      recycle: (payload) => link.recycle(payload),
      admit: (bounds) => link.admit(bounds),
      close: (reason) => link.close(reason),
    };
  }

  private add(message: unknown, payload: Uint8Array | undefined): void {
    const { kind } = message as { kind?: unknown };
    if (kind === 'work' || kind === 'partials') this.bytes += payload?.byteLength ?? 0;
  }
}

const [joinUrl = '', name = '', threads = '', backend = ''] = process.argv.slice(2);
const join = parseJoinUrl(joinUrl);
const machine = await Machine.start(Number(threads), backend as 'auto' | Backend);
const { memory, team } = machine;
const workplace = new TimedWorkplace(memory, team);
const payloads = new PayloadCount();
const node = new WorkerNode({
  identity: {
    ...{ name, backend: team.backend, detail: team.detail, threads: team.threads, token: join.token },
    selfTest: selfTest(machine),
  },
  workplace,
  clock: systemClock,
  connect: async () => payloads.watch(await connectWebSocket(join, systemClock)),
  onNotice: () => {},
});
const { ending, reason } = await node.ended;
await machine.stop();
const report: WorkerReport = {
  ...{ ending, reason, payloadBytes: payloads.bytes },
  computeMs: Array.from(workplace.computeMs, (ms) => ms ?? 0),
};
process.stdout.write(`${JSON.stringify(report)}\n`, () => process.exit(0));
