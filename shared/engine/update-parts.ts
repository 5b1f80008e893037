import type { PlannedParameter } from '../graph/flat-vector.js';
import type { Plan } from '../graph/plan.js';
import { NORM_BLOCK_FLOATS } from '../kernels/memory-map.js';

/** A stretch of the flat vector, in floats. */
export interface Stretch {
  readonly from: number;
  readonly to: number;
}

/** A block of a parameter's gradient, whose squares have a sum of their own: NORM_BLOCK_FLOATS, or what is left. */
export interface Block extends Stretch {
  readonly parameter: PlannedParameter;
}

/** One thread's part of the end of a step: of the additions, and of the update that comes when all are done. */
export interface Slice extends Stretch {
  /** Range of blocks. */
  readonly firstBlock: number;
  readonly lastBlock: number;
}

/** The end of a step, cut between threads. */
export interface Cut {
  readonly slices: readonly Slice[];
  /** What each thread updates whole, if the optimizer updates matrices so. */
  readonly matrices: readonly (readonly PlannedParameter[])[];
}

/** Floats of a cache line: stretches that begin with one share none. */
const LINE_FLOATS = 16;
/** Fewest floats that are added up at once: little enough to be in the cache still when their squares are summed. */
const GROUP_FLOATS = 4096;
/** Most groups of a slice: tapes have a limit. */
const GROUPS_MAX = 256;

/** The blocks of all parameters, in the order of the flat vector. No block is of two parameters, so parameters have norms of their own. */
export function blocksOf(parameters: readonly PlannedParameter[]): Block[] {
  return inPlace(parameters).flatMap((parameter) => {
    const end = parameter.offset + parameter.size;
    return Array.from({ length: Math.ceil(parameter.size / NORM_BLOCK_FLOATS) }, (_, i) => {
      const from = parameter.offset + i * NORM_BLOCK_FLOATS;
      return { parameter, from, to: Math.min(from + NORM_BLOCK_FLOATS, end) };
    });
  });
}

/** Parameters as they lie in the flat vector: moving averages come last. */
function inPlace(parameters: readonly PlannedParameter[]): readonly PlannedParameter[] {
  return [...parameters].sort((a, b) => a.offset - b.offset);
}

/** Who adds up and updates what; the same in every step of a run. */
export function cutBetween(plan: Plan, threads: number): Cut {
  return { slices: slicesOf(plan, threads), matrices: matricesOf(plan, threads) };
}

/** The flat vector cut in near-equal stretches that share no cache line. @param floats a multiple of LINE_FLOATS */
export function evenStretches(floats: number, parts: number): Stretch[] {
  const ends = evenEnds(floats / LINE_FLOATS, parts).map((line) => line * LINE_FLOATS);
  return ends.map((to, i) => ({ from: ends[i - 1] ?? 0, to }));
}

/** Where near-equal parts of so many things end. A vector may be longer than splitRange allows leaves to be many. */
function evenEnds(count: number, parts: number): number[] {
  return Array.from({ length: parts }, (_, i) => Math.ceil((count * (i + 1)) / parts));
}

/** Cuts the flat vector between threads in near-equal stretches, at borders of blocks. */
function slicesOf(plan: Plan, threads: number): Slice[] {
  const blocks = blocksOf(plan.parameters);
  const { vectorFloats } = plan;
  const start = (block: number): number => (block === 0 ? 0 : (blocks[block]?.from ?? plan.parameterFloats));
  const borders = evenEnds(vectorFloats, threads).map((to) => {
    const next = blocks.findIndex(({ from }) => from >= to);
    return next < 0 ? blocks.length : next;
  });
  // The metric sums lie behind the last block.
  borders[borders.length - 1] = blocks.length;
  return borders.map((lastBlock, i) => {
    const firstBlock = borders[i - 1] ?? 0;
    const to = i === borders.length - 1 ? vectorFloats : start(lastBlock);
    return { from: start(firstBlock), to, firstBlock, lastBlock };
  });
}

/** Blocks that are added up one after the other, and then all squared: runs of blocks of a slice. */
export function groupsOf(blocks: readonly Block[], { from, to, firstBlock, lastBlock }: Slice): Slice[] {
  const least = Math.max(GROUP_FLOATS, Math.ceil((to - from) / GROUPS_MAX));
  const groups: Slice[] = [];
  for (let first = firstBlock; first < lastBlock; ) {
    const start = groups.length === 0 ? from : (blocks[first] as Block).from;
    let last = first + 1;
    while (last < lastBlock && (blocks[last] as Block).from - start < least) last++;
    const end = last < lastBlock ? (blocks[last] as Block).from : to;
    groups.push({ from: start, to: end, firstBlock: first, lastBlock: last });
    first = last;
  }
  return groups.length > 0 ? groups : [{ from, to, firstBlock, lastBlock }];
}

/** Consecutive blocks of a range that are of the same parameter, as one. */
export function pieces(
  blocks: readonly Block[],
  { firstBlock, lastBlock }: Pick<Slice, 'firstBlock' | 'lastBlock'>,
): (Block & { block: number })[] {
  const found: (Block & { block: number })[] = [];
  for (let i = firstBlock; i < lastBlock; i++) {
    const block = blocks[i] as Block;
    const before = found.at(-1);
    if (before?.parameter === block.parameter) found[found.length - 1] = { ...before, to: block.to };
    else found.push({ ...block, block: i });
  }
  return found;
}

/** How the parameters of a stretch are told apart. */
export interface Distinction {
  /** Matrices decay, and other parameters do not. */
  readonly hasDecay: boolean;
  /** Left out: they are updated whole. */
  readonly whole: readonly PlannedParameter[];
}

/** The parts of a stretch that are updated alike, element by element. */
export function stretchesOf(
  { parameters }: Pick<Plan, 'parameters'>,
  { from, to }: Stretch,
  { hasDecay, whole }: Distinction,
): (Stretch & { isExempt: boolean })[] {
  const stretches: (Stretch & { isExempt: boolean })[] = [];
  const placed = inPlace(parameters);
  for (const [i, parameter] of placed.entries()) {
    const { offset, shape } = parameter;
    const start = Math.max(offset, from);
    // With the gap behind it, which stays 0.
    const end = Math.min(placed[i + 1]?.offset ?? to, to);
    if (start >= end || whole.includes(parameter)) continue;
    const isExempt = hasDecay && shape.length < 2;
    const before = stretches.at(-1);
    if (before?.to === start && before.isExempt === isExempt)
      stretches[stretches.length - 1] = { ...before, to: end };
    else stretches.push({ from: start, to: end, isExempt });
  }
  return stretches;
}

/**
 * The matrices between the first and the last layer: not the tables of embeddings, and not what the loss reads at once.
 * A convolution's kernel is a matrix of all its inputs and its filters.
 */
export function innerMatrices({ model, parameters }: Plan): PlannedParameter[] {
  const last = model.nodes.find(({ name }) => name === model.loss.prediction);
  const others = new Set([
    ...Object.values(last?.parameters ?? {}),
    ...model.nodes.flatMap(({ parameters }) => parameters.table ?? []),
  ]);
  return parameters.filter(({ name, shape }) => shape.length >= 2 && !others.has(name));
}

/** Hands matrices to threads, each to the one that has least to do; who does it shows in no bit. */
function matricesOf(plan: Plan, threads: number): PlannedParameter[][] {
  const shares = Array.from({ length: threads }, () => ({ work: 0, matrices: [] as PlannedParameter[] }));
  for (const matrix of innerMatrices(plan)) {
    const share = shares.reduce((least, other) => (other.work < least.work ? other : least));
    const cols = matrix.shape.at(-1) as number;
    share.work += matrix.size * Math.min(cols, matrix.size / cols);
    share.matrices.push(matrix);
  }
  return shares.map(({ matrices }) => matrices);
}
