/*
 * A worker that computes in its own thread, for pages that are not isolated: they cannot share memory between threads, and
 * the thread that holds the link must answer pings while a range is computed.
 */
import { systemClock } from '../../shared/actor/clock.js';
import { Device } from '../../shared/engine/device.js';
import { UserError } from '../../shared/errors.js';
import { joinVectors } from '../../shared/reduction/segments.js';
import { RemoteExecutor } from '../../worker/remote-executor.js';
import type { ComputeResults, ComputeToLink, LinkToCompute } from './messages.js';
import { webPlatform } from './web-platform.js';
import { workerScope } from './worker-scope.js';

const scope = workerScope<LinkToCompute, ComputeToLink>();
let executor: RemoteExecutor | undefined;
/** Messages are handled one after the other. */
let handled: Promise<void> = Promise.resolve();

scope.onmessage = ({ data }) => {
  handled = handled.then(() => handle(data));
};

async function handle(message: LinkToCompute): Promise<void> {
  try {
    const done = await perform(message);
    if (done === undefined || !('call' in message)) return;
    scope.postMessage({ call: message.call, result: done.result }, done.transfer);
  } catch (error) {
    const isUserError = error instanceof UserError;
    const text = isUserError ? error.message : String(error);
    scope.postMessage({ call: 'call' in message ? message.call : undefined, message: text, isUserError });
  }
}

/** What is posted is posted once, when all is computed. */
const EVENTS = { nowMs: () => systemClock.nowMs(), completed: () => {}, retracted: () => {} };

interface Done {
  readonly result: ComputeResults[keyof ComputeResults];
  readonly transfer: Transferable[];
}

async function perform(message: LinkToCompute): Promise<Done | undefined> {
  if (message.kind === 'start') return await start(message);
  if (executor === undefined) throw new Error(`"${message.kind}" before the start`);
  switch (message.kind) {
    case 'prepare':
      return { result: await executor.prepare(message.run), transfer: [] };
    case 'store':
      if (!executor.store(message.index, message.bytes))
        throw new Error(`chunk ${message.index} has changed on its way`);
      return undefined;
    case 'expect':
      executor.expect(message.what);
      return undefined;
    case 'load':
      executor.load(message.place, message.bytes);
      return undefined;
    case 'stop-waiting':
      executor.stopWaiting();
      return undefined;
    case 'compute': {
      const computed = await executor.compute(message.computation, EVENTS);
      const vectors = computed && executor.vectors(computed.partialSums);
      if (computed === undefined || vectors === undefined) return { result: undefined, transfer: [] };
      const { cut, views } = vectors;
      const payload = joinVectors(views).slice();
      return { result: { computed, cut, payload }, transfer: [payload.buffer] };
    }
    default:
      return message satisfies never;
  }
}

async function start({ backend, memoryBytes }: Extract<LinkToCompute, { kind: 'start' }>): Promise<Done> {
  const device = await Device.start(1, backend, webPlatform(false));
  executor = new RemoteExecutor(device, memoryBytes);
  const { threadPool } = device;
  const result = { backend: threadPool.backend, detail: threadPool.detail, selfTest: device.selfTest() };
  return { result, transfer: [] };
}
