import { hostname } from 'node:os';
import { systemClock } from '../shared/actor/clock.js';
import { inflateChunk } from '../shared/data/chunk-compression.js';
import { Device } from '../shared/engine/device.js';
import { nodePlatform } from '../shared/engine/node-platform.js';
import { UserError } from '../shared/errors.js';
import type { Link } from '../shared/link/link.js';
import { proveMachine } from '../shared/link/machine-key.js';
import { connectWebSocket } from '../shared/link/web-socket-client.js';
import { checkOptionNames } from '../shared/nearest.js';
import { hostAndPort } from '../shared/protocol/join-url.js';
import type { WorkerIdentity } from '../worker/connection.js';
import type { Executor } from '../worker/executor.js';
import { isRunOver } from '../worker/messages.js';
import { RemoteExecutor } from '../worker/remote-executor.js';
import { WorkerActor, type WorkerEnd } from '../worker/run-worker.js';
import { type JoinOptions, parseWorkerOptions, type WorkerSettings } from './options/worker-options.js';
import { ownMachineKey } from './own-machine-key.js';

/** What a worker has done for a run. */
export interface WorkerResult {
  /** Samples computed. */
  readonly samples: number;
  readonly seconds: number;
  /** The build of the kernels, such as "native (avx512)". */
  readonly backend: string;
  /** Why it ended. */
  readonly reason: string;
}

/** Who asked for the worker. */
export interface WorkerHost {
  say(line: string): void;
  /** Aborted when the worker is to leave. Read once there is something to finish. */
  readonly interrupted: AbortSignal;
}

/** The options of `unisum worker`, as a program gives them. */
export interface WorkerProgramOptions {
  /** Name in tables and messages. Default: the name of the machine. */
  readonly name?: string;
  /** Compute threads. Default: 1. */
  readonly threads?: number;
  /** Kernel build; all give the same bits. Default: 'auto'. */
  readonly backend?: string;
  /** Memory that the run may use, such as '2g'. Default: half of the machine's. */
  readonly memory?: string;
  /** The worker leaves the run when it is aborted. */
  readonly signal?: AbortSignal;
  /** Called with what a person should know, one line at a time. */
  readonly onNotice?: (line: string) => void;
}

/**
 * Works for a run until it ends, or until the signal is aborted. Prints nothing.
 * @param joinUrl the join line of the run
 * @throws UserError when the run cannot be joined, or does not want this worker
 */
export async function join(joinUrl: string, options: WorkerProgramOptions = {}): Promise<WorkerResult> {
  checkOptionNames('join()', options, ['name', 'threads', 'backend', 'memory', 'signal', 'onNotice']);
  const { name, threads = 1, backend = 'auto', memory, signal, onNotice } = options;
  const texts: JoinOptions = {
    ...{ threads: String(threads), backend },
    ...(name !== undefined && { name }),
    ...(memory !== undefined && { memory }),
  };
  const settings = parseWorkerOptions(joinUrl, texts, hostname());
  const interrupted = signal ?? new AbortController().signal;
  const { result, failure } = await work(settings, { say: (line) => onNotice?.(line), interrupted });
  if (failure !== undefined) throw failure;
  return result;
}

/** What a worker has done, and why it was refused or has lost its run; undefined: it was not, and has not. */
export interface WorkerOutcome {
  readonly result: WorkerResult;
  readonly failure: UserError | undefined;
  /** Its run is over, but can be resumed. */
  readonly isUnfinished: boolean;
}

/** What computes for a worker, and how it connects. */
export interface WorkerMeans {
  readonly executor: Executor;
  readonly connect: () => Promise<Link>;
  /** Called when the worker has ended. */
  readonly close: (end: Pick<WorkerEnd, 'exitReason' | 'reason'>) => Promise<void>;
}

/** Works for the run at `settings.join` until it ends or the host interrupts it. */
export function work(settings: WorkerSettings, host: WorkerHost): Promise<WorkerOutcome> {
  return workWith(settings, host, async (device) => ({
    executor: new RemoteExecutor(device, settings.memory),
    connect: () => connectWebSocket(settings.join, systemClock),
    close: async () => {},
  }));
}

/** The same, with other means. @param meansOn made when the threads of this machine have started */
export async function workWith(
  settings: WorkerSettings,
  host: WorkerHost,
  meansOn: (device: Device) => Promise<WorkerMeans>,
): Promise<WorkerOutcome> {
  const clock = systemClock;
  const { join: address, name, threads } = settings;
  const device = await Device.start(threads, settings.backend, nodePlatform());
  try {
    const { threadPool } = device;
    const { backend, detail } = threadPool;
    host.say(`${name}: ${threads} ${threads === 1 ? 'thread' : 'threads'}, ${backend} (${detail})`);
    const startedMs = clock.nowMs();
    const { executor, connect, close } = await meansOn(device);
    const worker = new WorkerActor({
      identity: {
        ...{ name, backend, detail, threads, token: address.token, selfTest: device.selfTest() },
        proveMachine: await machineProver((text) => host.say(text)),
      },
      ...{ executor, clock, connect, inflate: inflateChunk },
      onNotice: (text) => host.say(text),
    });
    const { interrupted } = host;
    const leave = (): void => worker.leave();
    interrupted.addEventListener('abort', leave);
    if (interrupted.aborted) leave();
    const { exitReason, reason, samples } = await worker.ended.finally(() =>
      interrupted.removeEventListener('abort', leave),
    );
    await close({ exitReason, reason });
    const seconds = (clock.nowMs() - startedMs) / 1000;
    host.say(`${samples} samples in ${seconds.toFixed(1)} s; ${reason}`);
    const result = { samples, seconds, backend: `${backend} (${detail})`, reason };
    const isFailure = !isRunOver(exitReason) && exitReason !== 'left';
    return {
      result,
      failure: isFailure ? new UserError(`${hostAndPort(address)}: ${reason}`) : undefined,
      isUnfinished: exitReason === 'interrupted',
    };
  } finally {
    await device.stop();
  }
}

/** Proves that this machine has the key that it keeps; undefined when it cannot keep any. */
async function machineProver(say: (text: string) => void): Promise<WorkerIdentity['proveMachine']> {
  try {
    const key = await ownMachineKey();
    return (handshake) => proveMachine(key, handshake);
  } catch (error) {
    if (!(error instanceof UserError)) throw error;
    say(`${error.message}; a run knows this machine by its address and name only`);
    return undefined;
  }
}
