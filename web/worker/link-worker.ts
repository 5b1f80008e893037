/*
 * The worker of a tab that holds the link, the clock and the state of a worker. It is no compute thread, so that it answers
 * pings while they compute, and not the page, whose timers a browser slows down when it is hidden.
 */
import { systemClock } from '../../shared/actor/clock.js';
import { Device } from '../../shared/engine/device.js';
import { UserError } from '../../shared/errors.js';
import type { Executor } from '../../worker/executor.js';
import { RemoteExecutor } from '../../worker/remote-executor.js';
import { WorkerActor } from '../../worker/run-worker.js';
import { type BrowserLink, connectBrowserLink } from '../link/browser-link.js';
import { atMostEvery } from './at-most-every.js';
import { CachedExecutor, type DataOrigin } from './cached-executor.js';
import { ChunkCache } from './chunk-cache.js';
import { inflateChunk } from './inflate-chunk.js';
import type { ComputeStarted, Contribution, LinkToPage, PageToLink } from './messages.js';
import { PacedExecutor } from './paced-executor.js';
import { PostedExecutor } from './posted-executor.js';
import { webPlatform } from './web-platform.js';
import { workerScope } from './worker-scope.js';

/** How often the page is told how much was computed: it draws what it is told, which takes as long as a small step. */
const REPORT_MS = 2000;
/** Longest time in which the last messages leave this machine. */
const CLOSE_MS_MAX = 5000;

const scope = workerScope<PageToLink, LinkToPage>();
const clock = systemClock;
/** What computes, once the page has asked to join. */
let paced: PacedExecutor | undefined;
let worker: WorkerActor | undefined;
let isLeaving = false;

scope.onmessage = ({ data }) => {
  switch (data.kind) {
    case 'join':
      void join(data).catch(fail);
      return;
    case 'share':
      if (paced !== undefined) paced.share = data.share;
      return;
    case 'leave':
      isLeaving = true;
      worker?.leave();
      return;
    case 'thread':
      // For worker-threads.ts.
      return;
    default:
      data satisfies never;
  }
};

async function join({
  url,
  token,
  contribution,
  isIsolated,
}: Extract<PageToLink, { kind: 'join' }>): Promise<void> {
  const { executor, started } = isIsolated
    ? await startThreads(contribution)
    : await startWorker(contribution);
  const { backend, detail, selfTest } = started;
  const { name, threads, share } = contribution;
  paced = new PacedExecutor(
    await withCache(executor),
    clock,
    atMostEvery(() => REPORT_MS, clock, report),
  );
  paced.share = share;
  scope.postMessage({ kind: 'started', backend, detail, threads });
  let link: BrowserLink | undefined;
  worker = new WorkerActor({
    identity: { name, backend, detail, threads, token, selfTest },
    executor: paced,
    clock,
    inflate: inflateChunk,
    connect: async () => {
      link = await connectBrowserLink(url, clock);
      return link;
    },
    onNotice: (text) => scope.postMessage({ kind: 'notice', text }),
  });
  if (isLeaving) worker.leave();
  const { exitReason, reason } = await worker.ended;
  report();
  // The page ends this worker, and the browser would drop what it has not sent, such as that this tab leaves.
  const { whenClosed } = link ?? {};
  const isLate = new Promise<void>((resolve) => clock.after(CLOSE_MS_MAX, resolve));
  await Promise.race([whenClosed, isLate]);
  scope.postMessage({ kind: 'ended', exitReason, reason });
}

interface Started {
  readonly executor: Executor;
  readonly started: ComputeStarted;
}

/** Threads on memory that they share with this worker. */
async function startThreads({ threads, backend, memoryBytes }: Contribution): Promise<Started> {
  const device = await Device.start(threads, backend, webPlatform(true));
  const { threadPool } = device;
  const started = { backend: threadPool.backend, detail: threadPool.detail, selfTest: device.selfTest() };
  return { executor: new RemoteExecutor(device, memoryBytes), started };
}

/** Another worker with one thread and its own memory. */
async function startWorker({ backend, memoryBytes }: Contribution): Promise<Started> {
  const executor = new PostedExecutor();
  return { executor, started: await executor.start(backend, memoryBytes) };
}

/** An executor that keeps its data in this browser, where that is possible. */
async function withCache(executor: Executor): Promise<Executor> {
  const onFailure = (reason: string): void => scope.postMessage({ kind: 'keeps-no-data', reason });
  const cache = await ChunkCache.open(clock).catch((error: Error) => {
    onFailure(error.message);
    return undefined;
  });
  const onData = (origin: DataOrigin): void => scope.postMessage({ kind: 'data', origin });
  const onKept = (): void => scope.postMessage({ kind: 'kept' });
  return new CachedExecutor(executor, cache, { onData, onKept, onFailure });
}

function report(): void {
  scope.postMessage({ kind: 'computed', samples: worker?.samples ?? 0 });
}

function fail(error: unknown): void {
  const reason = error instanceof UserError ? error.message : String(error);
  scope.postMessage({ kind: 'ended', exitReason: 'error', reason });
}
