import { accessSync, constants, readdirSync, statSync } from 'node:fs';
import { createServer } from 'node:net';
import { availableParallelism, cpus, freemem, loadavg, networkInterfaces, totalmem } from 'node:os';
import { join } from 'node:path';
import { epochMs, systemClock } from '../../shared/actor/clock.js';
import { Device } from '../../shared/engine/device.js';
import { nodePlatform } from '../../shared/engine/node-platform.js';
import { UserError } from '../../shared/errors.js';
import { errorCode } from '../../shared/files/file-error.js';
import { BACKENDS, type Backend } from '../../shared/kernels/kernels.js';
import { nativeIsas } from '../../shared/kernels/native-kernels.js';
import { firstMismatch } from '../../shared/kernels/self-test/self-test.js';
import { connectionsFor, openFilesMax } from '../../shared/link/open-files.js';
import { availableCores } from '../../trainer/options/available-cores.js';
import { packageFile, packageVersion } from '../../trainer/package-files.js';

/** A build of the kernels on this machine. */
export interface SurveyedBackend {
  readonly backend: Backend;
  /** Its instruction set, perhaps with the reason for a slower one; or why it cannot be used. */
  readonly detail: string;
  readonly isUsable: boolean;
  /** The first kernel that gives other bits than everywhere else; undefined when all give the same. */
  readonly wrongKernel?: string;
}

/** What a machine is, as far as training depends on it. */
export interface MachineSurvey {
  readonly version: string;
  readonly node: string;
  readonly platform: string;
  readonly processor: string;
  /** Processors that the system gives this process. */
  readonly processors: number;
  /** Of these, what a CPU quota leaves: workers that a run starts. */
  readonly cores: number;
  /** Programs that wanted to run in the last minute, on average; 0 where the system does not say. */
  readonly load: number;
  readonly memoryBytes: number;
  readonly freeBytes: number;
  readonly backends: readonly SurveyedBackend[];
  /** Instruction sets for which there are native kernels, best first. */
  readonly nativeIsas: readonly string[];
  /** Why no port can be opened on loopback, and on all addresses; undefined when it can. */
  readonly loopbackFault: string | undefined;
  readonly outsideFault: string | undefined;
  /** Addresses under which other machines may reach this one. */
  readonly addresses: readonly string[];
  /** Files that a process may open, and connections that this allows; undefined where the system does not say. */
  readonly openFilesMax: number | undefined;
  readonly connections: number;
  /** Milliseconds since 1970 now, and when the program was installed. */
  readonly nowMs: number;
  readonly installedMs: number;
  /** The smallest step of the clock that was seen, in milliseconds. */
  readonly clockStepMs: number;
  /** Whether a run can be written into the current directory. */
  readonly isWritable: boolean;
}

/** Connections of a run at one time, if files are enough (shared/link/listen.ts). */
const CONNECTIONS_MAX = 4096;
/** Steps of the clock that are looked at, and how long that may take at most. */
const CLOCK_STEPS = 20;
const CLOCK_MS_MAX = 200;

/** Looks at this machine. Takes a few seconds: every usable build of the kernels does its self-test. */
export async function surveyMachine(): Promise<MachineSurvey> {
  const backends: SurveyedBackend[] = [];
  for (const backend of BACKENDS) backends.push(await tryBackend(backend));
  const files = openFilesMax();
  return {
    version: packageVersion(),
    node: process.versions.node,
    platform: `${process.platform} ${process.arch}`,
    processor: cpus()[0]?.model.trim() ?? process.arch,
    processors: availableParallelism(),
    cores: availableCores(),
    load: loadavg()[0] ?? 0,
    memoryBytes: totalmem(),
    freeBytes: freemem(),
    backends,
    nativeIsas: nativeIsas(),
    loopbackFault: await listenFault('127.0.0.1'),
    outsideFault: await listenFault('0.0.0.0'),
    addresses: outsideAddresses(),
    openFilesMax: files,
    connections: connectionsFor(files, CONNECTIONS_MAX),
    nowMs: epochMs(),
    installedMs: statSync(packageFile('package.json')).mtimeMs,
    clockStepMs: clockStep(),
    isWritable: isWritable('.'),
  };
}

async function tryBackend(backend: Backend): Promise<SurveyedBackend> {
  try {
    const device = await Device.start(1, backend, nodePlatform());
    try {
      const wrong = firstMismatch(device.selfTest());
      const { detail } = device.threadPool;
      return { backend, detail, isUsable: true, ...(wrong !== undefined && { wrongKernel: wrong }) };
    } finally {
      await device.stop();
    }
  } catch (error) {
    if (!(error instanceof UserError)) throw error;
    return { backend, detail: error.message, isUsable: false };
  }
}

/** Why no port can be opened; undefined when one can. */
function listenFault(host: string): Promise<string | undefined> {
  return new Promise((resolve) => {
    const server = createServer();
    server.once('error', (error) => resolve(errorCode(error) ?? error.message));
    server.listen(0, host, () => server.close(() => resolve(undefined)));
  });
}

function outsideAddresses(): string[] {
  return Object.values(networkInterfaces())
    .flatMap((addresses) => addresses ?? [])
    .filter(({ internal, family }) => !internal && family === 'IPv4')
    .map(({ address }) => address);
}

function clockStep(): number {
  const { nowMs } = systemClock;
  const end = nowMs() + CLOCK_MS_MAX;
  let least = Number.POSITIVE_INFINITY;
  let before = nowMs();
  for (let steps = 0; steps < CLOCK_STEPS && before < end; ) {
    const now = nowMs();
    if (now === before) continue;
    least = Math.min(least, now - before);
    before = now;
    steps += 1;
  }
  return least;
}

function isWritable(folder: string): boolean {
  try {
    const runs = join(folder, 'runs');
    accessSync(readdirSync(folder).includes('runs') ? runs : folder, constants.W_OK);
    return true;
  } catch {
    return false;
  }
}
