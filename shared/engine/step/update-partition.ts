/* How the additions at the end of a step, and the update of the weights, are divided between threads. */
import type { PlannedParameter } from '../../compiler/flat-vector.js';
import type { Plan } from '../../compiler/plan.js';
import { NORM_BLOCK_FLOATS } from '../../kernels/memory-map.js';
import { sameRule } from '../../optim/learning-rules.js';

/** A range of the flat vector, in floats. */
export interface Span {
  readonly from: number;
  readonly to: number;
}

/** A block of one parameter's gradient, of NORM_BLOCK_FLOATS or fewer at its end. Norms are summed block by block. */
export interface Block extends Span {
  readonly parameter: PlannedParameter;
}

/** One thread's part of the flat vector: it adds the partial sums there, and updates the weights there. */
export interface Slice extends Span {
  /** The slice's blocks: from `firstBlock` up to, and without, `lastBlock`. */
  readonly firstBlock: number;
  readonly lastBlock: number;
}

/** The end of a step, divided between threads. */
export interface UpdatePartition {
  readonly slices: readonly Slice[];
  /** For each thread, the matrices that it updates as a whole, if the optimizer updates matrices as a whole. */
  readonly matrices: readonly (readonly PlannedParameter[])[];
}

/** Floats of a cache line: spans that begin at a multiple share no line. */
const LINE_FLOATS = 16;
/** Least floats of a group: few enough to be in the cache still when their squares are summed. */
const GROUP_FLOATS = 4096;
/** Most groups of a slice: a command buffer has a limit. */
const GROUPS_MAX = 256;

/** The blocks of all parameters that have a gradient, in the order of the flat vector. No block spans two parameters, so each parameter has a norm. */
export function blocksOf(parameters: readonly PlannedParameter[]): Block[] {
  return inVectorOrder(parameters.filter(({ isFrozen }) => !isFrozen)).flatMap((parameter) => {
    const end = parameter.offset + parameter.size;
    return Array.from({ length: Math.ceil(parameter.size / NORM_BLOCK_FLOATS) }, (_, i) => {
      const from = parameter.offset + i * NORM_BLOCK_FLOATS;
      return { parameter, from, to: Math.min(from + NORM_BLOCK_FLOATS, end) };
    });
  });
}

/** Parameters in the order of the flat vector, where moving averages come last. */
function inVectorOrder(parameters: readonly PlannedParameter[]): readonly PlannedParameter[] {
  return [...parameters].sort((a, b) => a.offset - b.offset);
}

/** Divides the end of a step between threads. The partition is the same in every step of a run. */
export function partitionUpdate(plan: Plan, threads: number): UpdatePartition {
  return { slices: slicesOf(plan, threads), matrices: matricesOf(plan, threads) };
}

/**
 * Nearly equal spans of the flat vector that share no cache line.
 * @param floats a multiple of LINE_FLOATS
 * @param first where the first one begins, a multiple too
 */
export function evenSpans(floats: number, parts: number, first = 0): Span[] {
  const ends = evenEnds(floats / LINE_FLOATS, parts).map((line) => first + line * LINE_FLOATS);
  return ends.map((to, i) => ({ from: ends[i - 1] ?? first, to }));
}

/** The ends of nearly equal parts of a count. splitRange does not serve: a vector may be longer than a batch has leaves. */
function evenEnds(count: number, parts: number): number[] {
  return Array.from({ length: parts }, (_, i) => Math.ceil((count * (i + 1)) / parts));
}

/** The name of the metric sums among the parts of a sum; see SumLayout. */
const METRICS = 'metrics';

/**
 * Divides some parts of a partial sum between threads: parameters at the ends of blocks, and the metric sums.
 * @param parts names of parameters, and 'metrics'
 * @returns for each thread, spans of the vector
 */
export function spansOfThreads(
  plan: Pick<Plan, 'parameters' | 'gradientFloats' | 'vectorFloats'>,
  parts: ReadonlySet<string>,
  threads: number,
): Span[][] {
  const { parameters, gradientFloats, vectorFloats } = plan;
  const blocks = blocksOf(parameters).filter(({ parameter }) => parts.has(parameter.name));
  const ends = evenEnds(blocks.length, threads);
  return ends.map((to, thread) => {
    const own = parameterSpans(blocks, { firstBlock: ends[thread - 1] ?? 0, lastBlock: to });
    const spans = own.map(({ from, to }) => ({ from, to }));
    const hasMetrics = thread === 0 && parts.has(METRICS);
    return hasMetrics ? [...spans, { from: gradientFloats, to: vectorFloats }] : spans;
  });
}

/**
 * Divides the update of some parameters between threads.
 * @returns for each run of parameters that follow each other in the vector, the slice of each thread; undefined: it has none
 */
export function slicesOfParameters(
  { parameters, gradientFloats }: Pick<Plan, 'parameters' | 'gradientFloats'>,
  names: ReadonlySet<string>,
  threads: number,
): (Slice | undefined)[][] {
  const blocks = blocksOf(parameters);
  const start = (block: number): number => blocks[block]?.from ?? gradientFloats;
  const isOne = (block: number): boolean => names.has(blocks[block]?.parameter.name ?? '');
  const runs: (Slice | undefined)[][] = [];
  for (let first = 0; first < blocks.length; first++) {
    if (!isOne(first)) continue;
    let last = first;
    while (last < blocks.length && isOne(last)) last++;
    const ends = evenEnds(last - first, threads).map((count) => first + count);
    runs.push(
      ends.map((lastBlock, thread) => {
        const firstBlock = ends[thread - 1] ?? first;
        const slice = { from: start(firstBlock), to: start(lastBlock), firstBlock, lastBlock };
        return firstBlock < lastBlock ? slice : undefined;
      }),
    );
    first = last;
  }
  return runs;
}

/** Nearly equal slices of the flat vector that end at the ends of blocks. */
export function slicesOf(plan: Plan, threads: number): Slice[] {
  const blocks = blocksOf(plan.parameters);
  const { vectorFloats } = plan;
  const start = (block: number): number => (block === 0 ? 0 : (blocks[block]?.from ?? plan.gradientFloats));
  const borders = evenEnds(vectorFloats, threads).map((to) => {
    const next = blocks.findIndex(({ from }) => from >= to);
    return next < 0 ? blocks.length : next;
  });
  // The metric sums follow the last block.
  borders[borders.length - 1] = blocks.length;
  return borders.map((lastBlock, i) => {
    const firstBlock = borders[i - 1] ?? 0;
    const to = i === borders.length - 1 ? vectorFloats : start(lastBlock);
    return { from: start(firstBlock), to, firstBlock, lastBlock };
  });
}

/** Divides a slice into groups of blocks. A group is added, and then its squares are summed while it is in the cache. */
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

/** Merges consecutive blocks of the same parameter. `block` is the index of the first of them. */
export function parameterSpans(
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

/** What decides which parameters are updated alike. */
export interface UpdateRules {
  /** Weight decay applies to matrices, and not to other parameters. */
  readonly hasDecay: boolean;
  /** Parameters that are updated as a whole and left out here. */
  readonly whole: readonly PlannedParameter[];
}

/** A part of a span that is updated by one rule. */
interface UpdateSpan extends Span {
  readonly isExempt: boolean;
  /** The first parameter of the part; the others learn alike. */
  readonly parameter: PlannedParameter;
}

/** The parts of a span that are updated element by element, with the same rule within each part. */
export function spansOf(
  { parameters }: Pick<Plan, 'parameters'>,
  { from, to }: Span,
  { hasDecay, whole }: UpdateRules,
): UpdateSpan[] {
  const spans: UpdateSpan[] = [];
  const ordered = inVectorOrder(parameters);
  for (const [i, parameter] of ordered.entries()) {
    const { offset, shape } = parameter;
    const start = Math.max(offset, from);
    // With the padding that follows the parameter: it is 0 and stays 0.
    const end = Math.min(ordered[i + 1]?.offset ?? to, to);
    if (start >= end || whole.includes(parameter)) continue;
    const isExempt = hasDecay && shape.length < 2;
    const before = spans.at(-1);
    if (before?.to === start && before.isExempt === isExempt && sameRule(before.parameter, parameter))
      spans[spans.length - 1] = { ...before, to: end };
    else spans.push({ from: start, to: end, isExempt, parameter });
  }
  return spans;
}

/**
 * The matrices between the first and the last layer, without the tables of embeddings and the layer whose output the loss
 * reads. A convolution's kernel counts as a matrix of its inputs by its filters.
 */
export function innerMatrices({ model, parameters }: Plan): PlannedParameter[] {
  const last = model.nodes.find(({ name }) => name === model.loss.prediction);
  const others = new Set([
    ...Object.values(last?.parameters ?? {}),
    ...model.nodes.flatMap(({ parameters }) => parameters.table ?? []),
  ]);
  return parameters.filter(
    ({ name, shape, isFrozen }) => shape.length >= 2 && !isFrozen && !others.has(name),
  );
}

/** Gives each matrix to the thread with the least work so far. Which thread updates a matrix does not change its bits. */
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
