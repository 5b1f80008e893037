import type { RecipeData } from '../../coordinator/recipe.js';
import type { Clock } from '../../shared/actor/clock.js';
import { UserError } from '../../shared/errors.js';
import type { Backend } from '../../shared/kernels/kernels.js';
import { type Measured, measured } from './median.js';
import type { PeerProcess } from './peer-process.js';
import { StepRig } from './step-rig.js';
import type { Workload } from './workloads.js';

/** Steps after which the weights must be the same on every backend. */
export const COMPARED_STEPS = 50;
/** Windows that even the slowest backend takes. */
const SLOW_WINDOWS_MIN = 3;

/** How long is measured. */
export interface Windows {
  readonly count: number;
  readonly ms: number;
}

/** A workload at one batch size, on several backends and perhaps a peer. */
export interface StepCase {
  readonly workload: Workload;
  readonly batch: number;
  readonly backends: readonly Backend[];
  readonly peer: PeerProcess | undefined;
  readonly windows: Windows;
}

/** What a step takes on one backend with one compute thread. */
export interface StepResult {
  readonly workload: string;
  readonly batch: number;
  readonly leaf: number;
  readonly backend: string;
  /** What the backend runs on, such as avx512. */
  readonly detail: string;
  readonly workers: 1;
  /** Median of the windows. */
  readonly usPerStep: number;
  /** Of the fastest window. */
  readonly fastestUsPerStep: number;
  /** After COMPARED_STEPS steps; the same on every backend. */
  readonly weightsSha256: string;
  readonly peerUsPerStep?: number;
  readonly peerFastestUsPerStep?: number;
  /** Peer's median over this one: above 1 is faster than the peer. */
  readonly ratio?: number;
}

/**
 * Times a case: all backends, and the peer, take windows in turn, so that whatever else the machine does hits all.
 * @throws UserError when the backends do not end with the same weights
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
    // The first round only warms up.
    for (let round = 0; round <= windows.count; round++) {
      for (const [i, rig] of rigs.entries()) {
        if (isEnough(times[i] as number[], windows)) continue;
        const us = await rig.window(windows.ms);
        if (round > 0) times[i]?.push(us);
      }
      const us = await peerWindow(stepCase);
      if (round > 0 && us !== undefined) peerTimes.push(us);
    }
    const peer = peerTimes.length === 0 ? undefined : measured(peerTimes);
    return rigs.map((rig, i) =>
      stepResult(rig, { workload, own: measured(times[i] as number[]), peer, hash: hashes[i] as string }),
    );
  } finally {
    for (const rig of rigs) await rig.close();
  }
}

/**
 * Compares weights that must be the same.
 * @param what for the message
 * @param hashes of each, under its name
 * @throws UserError that names the first two that differ
 */
export function checkHashes(what: string, hashes: readonly (readonly [name: string, hash: string])[]): void {
  const [first, ...others] = hashes;
  const wrong = others.find(([, hash]) => hash !== first?.[1]);
  if (first === undefined || wrong === undefined) return;
  throw new UserError(
    `${what}: the weights differ, ${first[0]} has ${first[1].slice(0, 16)}, ${wrong[0]} ${wrong[1].slice(0, 16)}; ` +
      'no figure is worth anything before this is mended',
  );
}

/** Whether a backend whose single steps are longer than windows has taken enough of them. */
function isEnough(times: readonly number[], windows: Windows): boolean {
  const spentMs = times.reduce((sum, us) => sum + us, 0) / 1000;
  return times.length >= SLOW_WINDOWS_MIN && spentMs > windows.count * windows.ms;
}

/** A rig that has taken the steps after which weights are compared. */
async function openRig(
  workload: Workload,
  data: RecipeData,
  batch: number,
  backend: Backend,
  clock: Clock,
): Promise<StepRig> {
  const leaf = Math.min(workload.leaf, batch);
  const rig = await StepRig.open({ recipe: workload, data, batch, leaf, threads: 1, backend }, clock);
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
  }: { workload: Workload; own: Measured; peer: Measured | undefined; hash: string },
): StepResult {
  const { batch, leaf } = rig.request;
  return {
    ...{ workload: workload.name, batch, leaf, backend: rig.backend, detail: rig.detail, workers: 1 },
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
