/* The work of a worker: which ranges wait, which one is being computed, and whether its result is still owed. */
import { epochsAfter, leavesOf, type StepShape, samplesIn } from '../shared/data/step-shape.js';
import { assert } from '../shared/errors.js';
import { QUEUE_MAX } from '../shared/protocol/limits.js';
import type { Run, WorkSegment } from '../shared/protocol/messages.js';
import { SegmentArrival, travelWhole } from '../shared/reduction/segments.js';
import { isSameRange, type LeafRange } from '../shared/reduction/tree.js';
import type { Arriving, Prepared, Vectors } from './executor.js';
import { endWorker, type WorkerEffect, type WorkerMessage, type WorkItem } from './messages.js';

/** Epochs are numbered with 32 bits. */
const EPOCHS_MAX = 2 ** 32;

/** What the coordinator sends with work: weights or an update, as they arrive. */
interface Delivery {
  readonly step: number;
  readonly what: Arriving;
  readonly arrival: SegmentArrival;
  /**
   * Where segments go: into place when nothing else is computed; onto a list until the computation under way has ended, because
   * it may use what is in place; nowhere in a rehearsal that leaves them unused.
   */
  goes: 'into place' | 'onto the list' | 'nowhere';
  /** What has arrived and is not in place. */
  held: WorkerEffect[];
}

/** The work queue's part of a worker's state. */
export interface WorkQueue {
  /** The run that work belongs to; undefined before it is prepared. */
  run: Run | undefined;
  /** Its weights, and an encoded update; undefined when they are never sent. */
  vectors: Readonly<Record<Arriving, Vectors | undefined>>;
  /** The step of the latest weights that came over this link; -1 before the first. */
  weightsStep: number;
  /** The latest that came over this link; undefined before the first. */
  delivery: Delivery | undefined;
  /** Ranges that wait. All belong to one step, and at most the first one brings something. */
  waiting: WorkItem[];
  /** What the threads compute: nothing, ranges that are owed, or some that were assigned over a link that is gone. */
  computing: 'nothing' | 'owed' | 'void';
  /** Ranges of a step are computed at the same time; otherwise at most one is under way. */
  computesTogether: boolean;
  /** Others compute here what is asked for. */
  relays: boolean;
  /** Those that are under way, all of this step. */
  underWay: { readonly step: number; readonly ranges: readonly LeafRange[] };
  /** The steps that were cancelled while a range of them was computed, whose end the coordinator is to be told. */
  cancelled: readonly number[];
  /** Samples of all ranges that were computed and sent. */
  samples: number;
}

export function createWorkQueue(): WorkQueue {
  return {
    run: undefined,
    vectors: { weights: undefined, update: undefined },
    weightsStep: -1,
    delivery: undefined,
    waiting: [],
    computing: 'nothing',
    computesTogether: false,
    relays: false,
    underWay: { step: -1, ranges: [] },
    cancelled: [],
    samples: 0,
  };
}

/** A run is prepared: work belongs to it from now on. */
export function startRun(
  queue: WorkQueue,
  run: Run,
  { weights, update, computesTogether = false, relays = false }: Omit<Prepared, 'missing'>,
): void {
  assert(queue.waiting.length === 0 && queue.computing !== 'owed', 'work of another run is left');
  queue.run = run;
  queue.vectors = { weights, update };
  queue.computesTogether = computesTogether;
  queue.relays = relays;
}

/**
 * Adds work. Waiting ranges of another step are dropped, because that step has ended without them. New weights replace
 * all waiting ranges: a step has one set of weights, so that at most one set is held. An update is applied to weights, so none
 * may be dropped: the coordinator sends one only to a worker that owes nothing, and so at most one waits.
 * @param payload what the work brings, unless it comes in segments
 */
export function onWork(queue: WorkQueue, work: WorkItem, payload: Uint8Array): WorkerEffect[] {
  assert(queue.run !== undefined, 'work follows the run that it belongs to');
  const problem = problemOf(queue, queue.run, work, payload);
  if (problem !== undefined) return endWorker('failed', `the coordinator assigned ${problem}`);
  const { brings } = work;
  const hasWeights = brings === 'weights';
  queue.waiting = [...queue.waiting.filter((item) => !hasWeights && item.step === work.step), work];
  if (!work.isRehearsed) queue.weightsStep = work.step;
  if (queue.waiting.length > QUEUE_MAX)
    return endWorker('failed', `the coordinator assigned more than ${QUEUE_MAX} ranges at once`);
  const effects = brings === undefined ? [] : beginDelivery(queue, work, brings, payload);
  return [...effects, ...computeNext(queue)];
}

/** A segment of what comes with the latest work. */
export function onSegment(
  queue: WorkQueue,
  { step, vector, index }: WorkSegment,
  bytes: Uint8Array,
): WorkerEffect[] {
  const { delivery } = queue;
  if (delivery?.step !== step)
    return endWorker('failed', `the coordinator sent a segment for step ${step} that it did not announce`);
  const place = { vector, index };
  const problem = delivery.arrival.take(place, bytes.byteLength);
  if (problem !== undefined) return endWorker('failed', `the coordinator sent what does not fit: ${problem}`);
  if (delivery.goes === 'nowhere') return [];
  const load = { kind: 'load', place, bytes } as const;
  if (delivery.goes === 'into place') return [load];
  delivery.held.push(load);
  return [];
}

/**
 * A range is computed: sends its partial sums if they are still owed, and begins the next range. A cancellation is acknowledged
 * when the last range of its step has ended.
 */
export function onComputed(
  queue: WorkQueue,
  {
    step,
    range,
    partialSums,
    computeMicros,
    concurrency,
    parts,
  }: Extract<WorkerMessage, { kind: 'computed' }>,
): WorkerEffect[] {
  assert(queue.run !== undefined && queue.computing !== 'nothing', 'a worker computes what it was assigned');
  const isOwed = queue.computing === 'owed';
  const { cancelled, underWay } = queue;
  queue.underWay = { ...underWay, ranges: underWay.ranges.filter((one) => !isSameRange(one, range)) };
  const isLast = queue.underWay.ranges.length === 0;
  if (isLast) {
    queue.computing = 'nothing';
    queue.cancelled = [];
  }
  if (isOwed && cancelled.length > 0) {
    if (!isLast) return [];
    const acknowledgements = cancelled.map((one) => acknowledge(one));
    return [...acknowledgements, ...computeNext(queue)];
  }
  if (!isOwed || partialSums === undefined) return computeNext(queue);
  queue.samples += samplesIn(shapeOf(queue.run), step, range);
  const nodes = partialSums.map(({ node }) => node);
  const message = {
    kind: 'partial-sums',
    step,
    range,
    nodes,
    computeMicros,
    ...(concurrency && { concurrency }),
    ...(parts && { parts }),
  } as const;
  return [{ kind: 'send', message, partialSums }, ...computeNext(queue)];
}

/** A step has ended, or is void: its ranges are dropped, and so are those of earlier steps. */
export function onCancel(queue: WorkQueue, step: number): WorkerEffect[] {
  const dropped = queue.waiting.filter((item) => item.step <= step);
  // The weights are those of an earlier step.
  if (dropped.some(({ brings }) => brings !== undefined)) queue.weightsStep = -1;
  queue.waiting = queue.waiting.filter((item) => item.step > step);
  if (queue.computing === 'owed') {
    queue.cancelled = [...queue.cancelled, step];
    return [{ kind: 'interrupt' }];
  }
  return [acknowledge(step)];
}

function acknowledge(step: number): WorkerEffect {
  return { kind: 'send', message: { kind: 'cancelled', step } };
}

/** The link is gone: over the next one this worker is a new member, which owes nothing. */
export function discardWork(queue: WorkQueue): WorkerEffect[] {
  queue.waiting = [];
  queue.weightsStep = -1;
  queue.delivery = undefined;
  queue.cancelled = [];
  if (queue.computing === 'owed') queue.computing = 'void';
  return queue.computing === 'nothing' ? [] : [{ kind: 'interrupt' }];
}

/** Weights or an update begin to arrive. What is missing of earlier ones never comes. */
function beginDelivery(
  queue: WorkQueue,
  { step, isRehearsed = false }: WorkItem,
  what: Arriving,
  payload: Uint8Array,
): WorkerEffect[] {
  const before = queue.delivery;
  const { count, cut } = queue.vectors[what] as Vectors;
  const isIdle = queue.computing === 'nothing';
  const isUnused = what === 'update' && isRehearsed;
  const goes = isUnused ? 'nowhere' : isIdle ? 'into place' : 'onto the list';
  queue.delivery = { step, what, arrival: new SegmentArrival(cut, count), goes, held: [] };
  const isAwaited = !isIdle && before?.goes === 'into place' && !before.arrival.isComplete;
  const effects: WorkerEffect[] = isAwaited ? [{ kind: 'stop-waiting' }] : [];
  if (goes === 'into place') effects.push({ kind: 'expect', what });
  if (!travelWhole(cut, count)) return effects;
  let at = 0;
  for (let vector = 0; vector < count; vector++)
    for (const [index, { bytes }] of cut.segments.entries()) {
      effects.push(
        ...onSegment(queue, { kind: 'segment', step, vector, index }, payload.subarray(at, at + bytes)),
      );
      at += bytes;
    }
  return effects;
}

function computeNext(queue: WorkQueue): WorkerEffect[] {
  const effects: WorkerEffect[] = [];
  for (let next = queue.waiting[0]; next !== undefined && mayBegin(queue, next); next = queue.waiting[0]) {
    queue.waiting.shift();
    effects.push(...begin(queue, next));
  }
  return effects;
}

/** Whether a range can be computed now: beside others only if it needs nothing but what they need. */
function mayBegin(
  { computing, computesTogether, underWay, cancelled }: WorkQueue,
  { step, range, brings, isRehearsed }: WorkItem,
): boolean {
  if (computing === 'nothing') return true;
  const isAlike = step === underWay.step && brings === undefined && isRehearsed !== true;
  if (underWay.ranges.some((one) => isSameRange(one, range))) return false;
  return computesTogether && computing === 'owed' && cancelled.length === 0 && isAlike;
}

function begin(queue: WorkQueue, work: WorkItem): WorkerEffect[] {
  queue.computing = 'owed';
  queue.underWay = { step: work.step, ranges: [...queue.underWay.ranges, work.range] };
  const { delivery } = queue;
  if (work.brings === undefined || delivery?.goes !== 'onto the list') return [{ kind: 'compute', work }];
  const { what, held } = delivery;
  delivery.goes = 'into place';
  delivery.held = [];
  return [{ kind: 'expect', what }, ...held, { kind: 'compute', work }];
}

/** Why this is not work of the run, which only a broken coordinator assigns; undefined when it is. */
function problemOf(
  { vectors, weightsStep, waiting, computing }: WorkQueue,
  run: Run,
  { step, range: { from, to }, brings, isRehearsed }: WorkItem,
  payload: Uint8Array,
): string | undefined {
  const { settings } = run;
  const shape = shapeOf(run);
  if (epochsAfter(shape, step + 1) >= EPOCHS_MAX) return `step ${step}, which is in no epoch`;
  const leaves = leavesOf(shape, step);
  // A replica is a whole: more than one are more than one range.
  const leavesPerGroup = settings.local === undefined ? settings.leavesPerGroup : 1;
  if (settings.local !== undefined && to !== from + 1) return `replicas ${from} to ${to} as one range`;
  if (to > leaves) return `leaves ${from} to ${to} of a step that has ${leaves}`;
  const isInsideGroup = (leaf: number): boolean => leaf < leaves && leaf % leavesPerGroup !== 0;
  if (isInsideGroup(from) || isInsideGroup(to))
    return `leaves ${from} to ${to}, which split a group of ${leavesPerGroup}`;
  const due = brings === undefined ? 0 : payloadBytes(vectors[brings]);
  if (brings !== undefined && payload.byteLength !== due)
    return `${brings === 'update' ? 'an update' : brings} of ${payload.byteLength} bytes instead of ${due ?? 'none'}`;
  if (isRehearsed) return undefined;
  const isBusy = waiting.length > 0 || computing !== 'nothing';
  if (brings === 'update' && (weightsStep !== step - 1 || isBusy))
    return `the update to step ${step} to a worker that is not done with the step before`;
  if (brings === undefined && vectors.weights !== undefined && weightsStep !== step)
    return `work of step ${step} without its weights`;
  return undefined;
}

/** Bytes of vectors that travel with the message that announces them; 0 if they travel in segments; undefined: they do not. */
function payloadBytes(vectors: Vectors | undefined): number | undefined {
  if (vectors === undefined) return undefined;
  const { count, cut } = vectors;
  return travelWhole(cut, count) ? count * cut.bytes : 0;
}

function shapeOf({ settings, data }: Run): StepShape {
  return { samples: data.samples, ...settings };
}
