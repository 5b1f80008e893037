import { stepPlace } from '../shared/data/order.js';
import { QUEUE_MAX } from '../shared/protocol/limits.js';
import type { Run } from '../shared/protocol/messages.js';
import { leafCount, type Range, rowsOf } from '../shared/sum/leaves.js';
import type { NodeEffect, NodeMessage, WorkItem } from './messages.js';
import { end, type NodeState } from './state.js';
import type { Prepared } from './workplace.js';

/** Chunks on their way at a time: enough to keep the wire busy, few enough to bound what either side holds. */
const CHUNK_WINDOW = 8;
/** Epochs are told apart by 32 bits. */
const EPOCHS_MAX = 2 ** 32;

/** The run is laid out: fetch what is missing of its data, or work at once. */
export function prepared(state: NodeState, { missing, weightBytes }: Prepared, effects: NodeEffect[]): void {
  if (state.phase !== 'preparing') return;
  state.missing = [...missing];
  state.onTheirWay.clear();
  state.weightBytes = weightBytes;
  state.phase = 'fetching';
  fetchMore(state, effects);
}

/** A chunk has been laid down, or was not what its name said. */
export function stored(
  state: NodeState,
  { index, sound }: Extract<NodeMessage, { kind: 'stored' }>,
  effects: NodeEffect[],
): void {
  if (state.phase !== 'fetching') return;
  if (!sound) return end(state, 'failed', `chunk ${index} of the data arrived altered; join again`, effects);
  if (!state.onTheirWay.delete(index))
    return end(state, 'failed', `the coordinator sent chunk ${index} of the data twice`, effects);
  fetchMore(state, effects);
}

/**
 * Takes work in. Ranges of another step than this one's are void: the run has gone on without them. So are those that
 * wait when weights come: a step has one set of them, and no more than one is ever held back.
 */
export function enqueue(state: NodeState, work: WorkItem, effects: NodeEffect[]): void {
  const wrong = fault(state, work);
  if (wrong !== undefined) return end(state, 'failed', `the coordinator handed out ${wrong}`, effects);
  const isFresh = work.weights !== undefined;
  state.queue = [...state.queue.filter((item) => !isFresh && item.step === work.step), work];
  state.weightsStep = work.step;
  if (state.queue.length > QUEUE_MAX) {
    return end(state, 'failed', `the coordinator handed out more than ${QUEUE_MAX} ranges at once`, effects);
  }
  startNext(state, effects);
}

/** A range is done: its partial sums go to the coordinator, and the next range is begun. */
export function computed(
  state: NodeState,
  { step, range, partials, computeMicros }: Extract<NodeMessage, { kind: 'computed' }>,
  effects: NodeEffect[],
): void {
  const owed = state.computing === 'owed';
  state.computing = 'nothing';
  // While this was being computed the link may have gone, and with it whoever waited for it.
  if (owed && state.run !== undefined) {
    state.samples += samplesOf(state.run, step, range);
    const nodes = partials.map(({ node }) => node);
    effects.push({
      kind: 'send',
      message: { kind: 'partials', step, range, nodes, computeMicros },
      partials,
    });
  }
  startNext(state, effects);
}

function fetchMore(state: NodeState, effects: NodeEffect[]): void {
  const room = CHUNK_WINDOW - state.onTheirWay.size;
  const chunks = state.missing.splice(0, room);
  if (chunks.length > 0) {
    for (const index of chunks) state.onTheirWay.add(index);
    effects.push({ kind: 'send', message: { kind: 'need', chunks } });
  }
  if (state.onTheirWay.size > 0) return;
  state.phase = 'working';
  state.attempts = 0;
  effects.push({ kind: 'send', message: { kind: 'ready' } });
}

function startNext(state: NodeState, effects: NodeEffect[]): void {
  if (state.computing !== 'nothing') return;
  const work = state.queue.shift();
  if (work === undefined) return;
  state.computing = 'owed';
  effects.push({ kind: 'compute', work });
}

/** What is wrong with work; undefined when it is work of this run. Nobody but a broken coordinator hands out other. */
function fault({ run, weightBytes, weightsStep }: NodeState, work: WorkItem): string | undefined {
  const { step, weights } = work;
  const { from, to } = work.range;
  const { settings, data } = run as Run;
  const { epoch, size } = stepPlace(step, data.samples, settings.batch);
  if (epoch >= EPOCHS_MAX) return `step ${step}, which is in no epoch`;
  const leaves = leafCount(size, settings.leafSize);
  if (to > leaves) return `leaves ${from} to ${to} of a step that has ${leaves}`;
  const isCut = (leaf: number): boolean => leaf < leaves && leaf % settings.granule !== 0;
  if (isCut(from) || isCut(to)) return `leaves ${from} to ${to}, which cut a group of ${settings.granule}`;
  if (weights !== undefined && weights.byteLength !== weightBytes)
    return `weights of ${weights.byteLength} bytes in place of ${weightBytes ?? 'none'}`;
  if (weights === undefined && weightBytes !== undefined && weightsStep !== step)
    return `work of step ${step} without its weights`;
  return undefined;
}

function samplesOf({ settings, data }: Run, step: number, range: Range): number {
  const { size } = stepPlace(step, data.samples, settings.batch);
  return rowsOf(range, size, settings.leafSize).rows;
}
