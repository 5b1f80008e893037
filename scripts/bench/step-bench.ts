import type { Clock } from '../../shared/actor/clock.js';
import { UserError } from '../../shared/errors.js';
import type { Backend } from '../../shared/kernels/kernels.js';
import type { RecipeData } from '../../trainer/recipe.js';
import type { PeerProcess } from './peer-process.js';
import { StepRig } from './step-rig.js';
import { type TimeStats, timeStats } from './time-stats.js';
import type { Workload } from './workloads.js';

/** Steps after which the weights must be the same on every backend. */
export const COMPARED_STEPS = 50;
/** Windows that even the slowest backend runs. */
const SLOW_WINDOWS_MIN = 3;

/** Number and length of the windows of a measurement. */
export interface Windows {
  readonly count: number;
  readonly ms: number;
}

/** A workload at one batch size, on several backends and optionally a peer. */
export interface StepCase {
  readonly workload: Workload;
  readonly batch: number;
  readonly backends: readonly Backend[];
  readonly peer: PeerProcess | undefined;
  readonly windows: Windows;
}

/** The time of a step on one backend with one compute thread. */
export interface StepResult {
  readonly workload: string;
  readonly batch: number;
  readonly leafSize: number;
  readonly backend: string;
  /** The backend's instruction set, such as avx512. */
  readonly detail: string;
  readonly workers: 1;
  /** Median of the windows. */
  readonly usPerStep: number;
  /** Of the fastest window. */
  readonly fastestUsPerStep: number;
  /** After COMPARED_STEPS steps; equal on every backend. */
  readonly weightsSha256: string;
  readonly peerUsPerStep?: number;
  readonly peerFastestUsPerStep?: number;
  /** The peer's median over this one: above 1, this backend is faster. */
  readonly ratio?: number;
}

/**
 * Times a case. Windows of all backends and the peer alternate, so that other load on the machine affects all of them.
 * @throws UserError when the backends end with different weights
 */
export async function benchSteps(stepCase: StepCase, clock: Clock): Promise<StepResult[]> {
  const { workload, batch, backends, windows } = stepCase;
  const data = await workload.data(undefined);
  const rigs: StepRig[] = [];
  try {
    for (const backend of backends) rigs.push(await openRig(workload, data, batch, backend, clock));
    const hashes = rigs.map((rig) => rig.weightsSha256());
    checkHashes(
      `${workload.name}, batch ${batch}`,
      rigs.map((rig, i) => [rig.backend, hashes[i] as string]),
    );
    const times = rigs.map((): number[] => []);
    const peerTimes: number[] = [];
    // The first turn only warms up.
    for (let turn = 0; turn <= windows.count; turn++) {
      for (const [i, rig] of rigs.entries()) {
        if (isEnough(times[i] as number[], windows)) continue;
        const us = await rig.window(windows.ms);
        if (turn > 0) times[i]?.push(us);
      }
      const us = await peerWindow(stepCase);
      if (turn > 0 && us !== undefined) peerTimes.push(us);
    }
    const peer = peerTimes.length === 0 ? undefined : timeStats(peerTimes);
    return rigs.map((rig, i) =>
      stepResult(rig, { workload, own: timeStats(times[i] as number[]), peer, hash: hashes[i] as string }),
    );
  } finally {
    for (const rig of rigs) await rig.close();
  }
}

/**
 * Compares hashes of weights that must be equal.
 * @param what the subject of the error message
 * @param hashes each with a name
 * @throws UserError that names the first difference
 */
export function checkHashes(what: string, hashes: readonly (readonly [name: string, hash: string])[]): void {
  const [first, ...others] = hashes;
  const wrong = others.find(([, hash]) => hash !== first?.[1]);
  if (first === undefined || wrong === undefined) return;
  throw new UserError(
    `${what}: the weights differ: ${first[0]} ${first[1].slice(0, 16)}, ${wrong[0]} ${wrong[1].slice(0, 16)}; ` +
      'the times are not comparable, please report this as a bug',
  );
}

/** Whether a backend whose single steps are longer than a window has run enough windows. */
function isEnough(times: readonly number[], windows: Windows): boolean {
  const spentMs = times.reduce((sum, us) => sum + us, 0) / 1000;
  return times.length >= SLOW_WINDOWS_MIN && spentMs > windows.count * windows.ms;
}

/** A rig after COMPARED_STEPS steps. */
async function openRig(
  workload: Workload,
  data: RecipeData,
  batch: number,
  backend: Backend,
  clock: Clock,
): Promise<StepRig> {
  const leafSize = Math.min(workload.leafSize, batch);
  const rig = await StepRig.open({ recipe: workload, data, batch, leafSize, threads: 1, backend }, clock);
  await rig.advance(COMPARED_STEPS);
  return rig;
}

async function peerWindow({ peer, workload, batch, windows }: StepCase): Promise<number | undefined> {
  const request = { workload: workload.name, batch, seconds: windows.ms / 1000 };
  return (await peer?.ask<{ usPerStep: number }>(request))?.usPerStep;
}

function stepResult(
  rig: StepRig,
  {
    workload,
    own,
    peer,
    hash,
  }: { workload: Workload; own: TimeStats; peer: TimeStats | undefined; hash: string },
): StepResult {
  const { batch, leafSize } = rig.request;
  return {
    ...{ workload: workload.name, batch, leafSize, backend: rig.backend, detail: rig.detail, workers: 1 },
    usPerStep: own.median,
    fastestUsPerStep: own.fastest,
    weightsSha256: hash,
    ...(peer && {
      peerUsPerStep: peer.median,
      peerFastestUsPerStep: peer.fastest,
      ratio: peer.median / own.median,
    }),
  };
}
