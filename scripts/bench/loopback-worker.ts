/*
 * A worker process of a scaling benchmark: it works as `unisum worker` does, and prints a WorkerReport when it ends.
 * Arguments: join URL, name, threads, backend, the network's shape, such as 100mbit,10ms ("-" or left out: as it is), and
 * "serial" if it does not compute while it exchanges.
 */
import { systemClock } from '../../shared/actor/clock.js';
import { inflateChunk } from '../../shared/data/chunk-compression.js';
import { Device } from '../../shared/engine/device.js';
import { nodePlatform } from '../../shared/engine/node-platform.js';
import type { Backend } from '../../shared/kernels/kernels.js';
import type { Link, LinkEvents } from '../../shared/link/link.js';
import { connectWebSocket } from '../../shared/link/web-socket-client.js';
import { parseJoinUrl } from '../../shared/protocol/join-url.js';
import type { Computation, Computed, ComputeEvents } from '../../worker/executor.js';
import { RemoteExecutor } from '../../worker/remote-executor.js';
import { WorkerActor } from '../../worker/run-worker.js';
import { parseNetworkShape } from './network-shape.js';
import { NO_SHAPE, SERIAL, type WorkerReport } from './scaling-points.js';
import { shapeLink } from './shaped-link.js';

/** An executor that times the computation of each step. */
class TimedExecutor extends RemoteExecutor {
  readonly computeMs: number[] = [];
  overlaps = true;

  override async compute(computation: Computation, events: ComputeEvents): Promise<Computed | undefined> {
    if (!this.overlaps) await this.arrived();
    const completed = this.overlaps ? events.completed : () => {};
    const computed = await super.compute(computation, { ...events, completed });
    const { step } = computation;
    this.computeMs[step] = (this.computeMs[step] ?? 0) + (computed?.computeMs ?? 0);
    return computed;
  }
}

/** Counts the bytes of weights and partial sums that a link carries. */
class PayloadCounter {
  bytes = 0;

  wrap(link: Link): Link {
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
      send: (message, payload, onSent) => {
        this.add(message, payload);
        link.send(message, payload, onSent);
      },
      recycle: (payload) => link.recycle(payload),
      admit: (bounds) => link.admit(bounds),
      close: (reason) => link.close(reason),
      break: (reason) => link.break(reason),
    };
  }

  private add(message: unknown, payload: Uint8Array | undefined): void {
    const { kind } = message as { kind?: unknown };
    if (kind === 'work' || kind === 'segment' || kind === 'partial-sums')
      this.bytes += payload?.byteLength ?? 0;
  }
}

const [joinUrl = '', name = '', threads = '', backend = '', net = NO_SHAPE, mode] = process.argv.slice(2);
const shape = net === NO_SHAPE ? undefined : parseNetworkShape('the network', net);
const join = parseJoinUrl(joinUrl);
const device = await Device.start(Number(threads), backend as 'auto' | Backend, nodePlatform());
const { threadPool } = device;
const executor = new TimedExecutor(device);
executor.overlaps = mode !== SERIAL;
const payloads = new PayloadCounter();
const worker = new WorkerActor({
  identity: {
    ...{
      name,
      backend: threadPool.backend,
      detail: threadPool.detail,
      threads: threadPool.threads,
      token: join.token,
    },
    selfTest: device.selfTest(),
  },
  executor,
  ...{ clock: systemClock, inflate: inflateChunk },
  connect: async () => {
    const link = await connectWebSocket(join, systemClock);
    return payloads.wrap(shape === undefined ? link : shapeLink(link, shape, systemClock));
  },
  onNotice: () => {},
});
const { exitReason, reason } = await worker.ended;
await device.stop();
const report: WorkerReport = {
  ...{ exitReason, reason, payloadBytes: payloads.bytes },
  computeMs: Array.from(executor.computeMs, (ms) => ms ?? 0),
};
process.stdout.write(`${JSON.stringify(report)}\n`, () => process.exit(0));
