/*
 * A stretch of a run that a receipt tells of, computed again: in a tab, or anywhere else. Of those who give the network, the
 * data and the state that it begins with nothing is believed: each must have the hash that the receipt names. No module of Node.
 */
import { decodeCheckpoint } from '../../coordinator/storage/checkpoint.js';
import type { Dataset } from '../../shared/data/dataset.js';
import { parseManifest } from '../../shared/data/manifest.js';
import { isChunk } from '../../shared/data/verify-chunk.js';
import { Device } from '../../shared/engine/device.js';
import type { Platform } from '../../shared/engine/threads/thread-host.js';
import { messageOf, UserError } from '../../shared/errors.js';
import { sha256Hex } from '../../shared/files/sha256.js';
import { parseModel } from '../../shared/graph/resolve.js';
import { differences, fingerprint } from '../learning-settings.js';
import { keepsAverage, type Leg, type RecordedRun } from '../replay/recorded-run.js';
import { differing } from '../replay/replay-verifier.js';
import { planRun, type RunPlan, type RunRequest } from '../run-plan.js';
import { allocateTraining } from '../training-memory.js';
import { type Receipt, recordedIn } from './receipt-format.js';
import { needsState, type Stretch, type StretchFindings } from './stretch-ends.js';
import { type ReplayStart, StretchReplay } from './stretch-replay.js';

/** Largest data sets that are held for a stretch, in bytes: a tab has little memory. */
const DATA_BYTES_MAX = 2 ** 30;

/** A data set as somebody gives it. */
interface GivenData {
  readonly manifest: unknown;
  readonly chunks: readonly Uint8Array[];
}

/** What a receipt names by its hash, as somebody gives it. */
export interface StretchMaterial {
  readonly model: unknown;
  readonly train: GivenData;
  /** What evaluations use; left out: the run evaluates nothing. */
  readonly evaluated?: GivenData | undefined;
  /** The file of the state that it begins with; left out: it begins with weights drawn from the seed. */
  readonly state?: Uint8Array | undefined;
}

/** Who computes. */
interface StretchComputer extends Pick<RunRequest, 'threads' | 'backend'> {
  readonly platform: Platform;
  /** Is told how many steps of the stretch are done; 0 when the kernels are loaded. */
  readonly onProgress: (done: number) => void;
}

/**
 * Computes a stretch of a run again, and compares every state, evaluation and final hash in it that the receipt names.
 * @returns what that proves, and what it does not
 * @throws UserError when anything differs, with the first step at which it does, or cannot be computed
 */
export async function checkStretch(
  receipt: Receipt,
  stretch: Stretch,
  material: StretchMaterial,
  { threads, backend, platform, onProgress }: StretchComputer,
): Promise<StretchFindings> {
  const recorded = recordedIn(receipt);
  const leg = legOf(recorded, stretch);
  const run = runOf(leg, material, { threads, backend });
  const start = needsState(receipt, stretch) ? startOf(recorded, leg, stretch, material.state) : undefined;
  const device = await Device.start(threads, backend, platform);
  try {
    onProgress(0);
    const replay = new StretchReplay(device, run, allocateTraining(device, run), start);
    const stops = [...recorded.saved.keys(), stretch.to].sort((a, b) => a - b);
    const compared = { states: 0, evaluations: 0, isEndReached: false, unchecked: new Set<string>() };
    while (replay.step < stretch.to) {
      await replay.advance(stops.find((step) => step > replay.step) as number);
      await compare(replay, recorded, leg, compared);
      onProgress(replay.step - stretch.from);
    }
    return findingsOf(recorded, leg, stretch, compared);
  } finally {
    await device.stop();
  }
}

function legOf({ legs, lastStep }: RecordedRun, { from, to }: Stretch): Leg {
  if (!(from >= 0 && from < to && to <= lastStep))
    throw new UserError(`the run has the steps 1 to ${lastStep}, not ${from + 1} to ${to}`);
  const place = legs.findLastIndex((leg) => leg.from <= from);
  const next = legs[place + 1];
  if (next !== undefined && to > next.from)
    throw new UserError(
      `the settings of the run change after step ${next.from}; choose a stretch that ends or begins there`,
    );
  return legs[place] as Leg;
}

/** Makes the session anew of its settings. @throws UserError when what was given has other hashes, or a tab cannot compute it */
function runOf(
  leg: Leg,
  { model, train, evaluated }: StretchMaterial,
  computer: Pick<StretchComputer, 'threads' | 'backend'>,
): RunPlan {
  const { settings, testData, validationData } = leg;
  if (settings.sync !== undefined)
    throw new UserError('the run has local updates, which only unisum verify computes again');
  const set = validationData === undefined ? 'test' : 'validation';
  const wanted = validationData ?? testData;
  if (evaluated === undefined ? wanted !== null : fingerprint(evaluated.manifest) !== wanted)
    throw new UserError(`the ${set} data that were given are not those that the receipt names`);
  const data = {
    train: datasetOf(train, 'the training data'),
    ...(evaluated && { [set]: datasetOf(evaluated, `the ${set} data`) }),
  };
  const network = parseModel(model);
  const { clipping, ...others } = settings as unknown as RunRequest;
  const run = planned({
    ...others,
    ...computer,
    ...(clipping && { clipping }),
    data,
    recipe: { model: () => network } as unknown as RunRequest['recipe'],
    ...{ workers: 1, minWorkers: 1, audit: 0 },
  });
  const [difference] = differences(run.settings, settings);
  if (difference !== undefined)
    throw new UserError(`what was given is not what the receipt names: ${difference}`);
  return run;
}

/** Settings of a receipt may be anything. @throws UserError when they make no run */
function planned(request: RunRequest): RunPlan {
  try {
    const { batch, leafSize, steps, seed } = request;
    for (const count of [batch, leafSize, steps, seed + 1])
      if (!Number.isSafeInteger(count) || count < 1) throw new Error('its sizes are no whole numbers');
    return planRun(request);
  } catch (error) {
    const why = messageOf(error);
    throw new UserError(`the settings of the receipt make no run: ${why}`);
  }
}

/** @throws UserError when a chunk does not have the hash that the manifest names */
function datasetOf({ manifest: given, chunks }: GivenData, name: string): Dataset {
  // The fields stay in their order, which the hash of a manifest depends on.
  parseManifest(given, name);
  const manifest = given as Dataset['manifest'];
  for (const index of manifest.chunkHashes.keys())
    if (!isChunk(manifest, index, chunks[index] ?? new Uint8Array(), sha256Hex))
      throw new UserError(`${name} are not those of their manifest: chunk ${index} has another hash`);
  return { manifest, chunk: (index) => chunks[index] as Uint8Array };
}

/** @throws UserError when a data set is too large for a tab */
export function checkDataBytes(manifests: readonly unknown[]): void {
  const bytes = manifests.reduce((sum: number, given) => {
    const { samples, recordBytes } = parseManifest(given, 'the data');
    return sum + samples * recordBytes;
  }, 0);
  if (bytes > DATA_BYTES_MAX)
    throw new UserError(
      `the data have ${bytes} bytes, and a tab holds ${DATA_BYTES_MAX} of them at most; use unisum verify`,
    );
}

/** @throws UserError when the state that was given is not the one that the receipt names */
function startOf(
  { saved, legs }: RecordedRun,
  leg: Leg,
  { from }: Stretch,
  bytes: Uint8Array | undefined,
): ReplayStart {
  if (bytes === undefined) throw new UserError(`nobody has given the state of step ${from}`);
  const state = decodeCheckpoint(bytes, `the state of step ${from}`);
  const isFirst = from === 0 && leg === legs[0];
  const isNamed = isFirst
    ? state.weightsSha256 === leg.weights
    : (saved.get(from) ?? []).some(({ value }) => value.sha256 === state.sha256);
  if (!isNamed || state.progress.step !== from)
    throw new UserError(`the state of step ${from} that was given is not the one that the receipt names`);
  return { state, isFirst };
}

/** What was compared so far. */
interface Compared {
  states: number;
  evaluations: number;
  /** The final weights were compared too. */
  isEndReached: boolean;
  /** Metrics that code of the recipe computes. */
  readonly unchecked: Set<string>;
}

/** Compares what the receipt says of the step that was reached. @throws UserError when it says something else */
async function compare(
  replay: StretchReplay,
  { saved, evaluations, end, lastStep }: RecordedRun,
  leg: Leg,
  compared: Compared,
): Promise<void> {
  const { step, evaluated } = replay;
  const differs = (what: string): never => {
    throw new UserError(`the run differs at step ${step}: ${what}`);
  };
  const told = evaluations.get(step)?.value;
  if ((told === undefined) !== (evaluated === undefined))
    differs(
      told === undefined ? 'the receipt lacks the evaluation that is due' : 'no evaluation is due there',
    );
  if (told !== undefined && evaluated !== undefined) {
    const names = Object.keys(told).filter((name) => name in evaluated);
    for (const name of Object.keys(told)) if (!(name in evaluated)) compared.unchecked.add(name);
    const wrong = differing(Object.fromEntries(names.map((name) => [name, told[name] as number])), evaluated);
    if (wrong !== undefined) differs(`the ${wrong[0]} of its evaluation ${wrong[1]}`);
    compared.evaluations += 1;
  }
  const states = (saved.get(step) ?? []).filter((one) => one.leg === leg);
  const isEnd = step === lastStep && end !== undefined && end.weightsSha256 !== null;
  const isComparable = isEnd && end.restored === undefined && !keepsAverage(leg);
  if (states.length === 0 && !isComparable) return;
  const { sha256, weightsSha256 } = await replay.state();
  for (const { value } of states) {
    if (value.weightsSha256 !== weightsSha256)
      differs(`its weights have the SHA-256 ${weightsSha256}, and the receipt says ${value.weightsSha256}`);
    if (value.sha256 !== sha256)
      differs(`its state has the SHA-256 ${sha256}, and the receipt says ${value.sha256}`);
    compared.states += 1;
  }
  if (!isComparable) return;
  if (end.weightsSha256 !== weightsSha256)
    differs(`the final weights have the SHA-256 ${weightsSha256}, and the receipt says ${end.weightsSha256}`);
  compared.isEndReached = true;
}

function findingsOf(
  { legs, lastStep, evaluations }: RecordedRun,
  leg: Leg,
  { from, to }: Stretch,
  { states, evaluations: count, isEndReached, unchecked }: Compared,
): StretchFindings {
  const isDrawn = from === 0 && leg.weights === null;
  const start = isDrawn
    ? `the weights that the seed ${leg.settings.seed} gives`
    : from === 0
      ? 'the weights that the receipt names'
      : `the state of step ${from} that the receipt names`;
  const others = [
    ...(from > 0 ? [`1 to ${from}`] : []),
    ...(to < lastStep ? [`${to + 1} to ${lastStep}`] : []),
  ];
  const left = evaluations.size - count;
  return {
    proven: [
      `steps ${from + 1} to ${to} of ${lastStep} were computed again from ${start}`,
      'the network and the data that were used have the hashes that the receipt names',
      ...(states === 0
        ? []
        : [
            `${counted(states, 'state')} on the way, weights and all else, have the SHA-256 that the receipt names`,
          ]),
      ...(count === 0
        ? []
        : [`the losses and what they count in ${counted(count, 'evaluation')} are as in the receipt`]),
      ...(isEndReached ? ['the final weights have the SHA-256 that the receipt names'] : []),
    ],
    notProven: [
      ...(others.length === 0 ? [] : [`steps ${others.join(', and ')}: they were not computed`]),
      ...(isDrawn
        ? []
        : [from === 0 ? 'where the first weights come from' : `how the state of step ${from} came about`]),
      ...(left === 0 ? [] : [`${counted(left, 'evaluation')} outside of the stretch`]),
      ...(unchecked.size === 0 ? [] : [`what code of the recipe measures: ${[...unchecked].join(', ')}`]),
      ...(isEndReached ? [] : ['the final weights']),
      'how the run ended, and what was measured in the end',
      `that the recipe ${legs[0]?.recipe ?? ''} makes this network and this data: only their hashes were compared`,
      'who computed what, when, and all else that the receipt only tells',
    ],
  };
}

function counted(number: number, what: string): string {
  return `${number} ${what}${number === 1 ? '' : 's'}`;
}
