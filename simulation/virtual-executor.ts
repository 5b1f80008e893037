import type { SumStore } from '../coordinator/compute/incoming-sums.js';
import type { CoordinatorEffect } from '../coordinator/state/messages.js';
import type { PartialSum } from '../shared/engine/step/partial-sum-addition.js';
import { mergePlan, nodeKey } from '../shared/reduction/merge-plan.js';
import { type LeafRange, nodeLeaves, rootLevel, type TreeNode } from '../shared/reduction/tree.js';
import {
  added,
  exchangedSum,
  INITIAL_RESIDUAL,
  mix,
  rounded,
  updateOf,
  type VirtualCodec,
} from './arithmetic.js';
import type { ArrivedSum } from './rehearsal-checks.js';
import { bytesOf, NUMBER_CUT, numberOf } from './vectors.js';

/** A partial sum in the coordinator's memory, which may be arriving still. */
interface StoredSum {
  readonly bytes: Uint8Array;
  /** Name of the worker, once the sum is complete. */
  by: string;
}

/** A wrong partial sum that counted in a step. */
interface WrongSum {
  readonly step: number;
  readonly by: string;
  /** Its worker was expelled since: the run must not continue from these weights. */
  isExposed: boolean;
}

/** What a snapshot or a checkpoint holds. */
export interface Vectors {
  readonly weights: number;
  readonly best: number | undefined;
  /** What rounding has taken from gradients so far. */
  readonly residual: number;
}

/** Stands for what a step that was not done leaves in the place of its update. */
const SPOILT = 0xbad;

type Compare = Extract<CoordinatorEffect, { kind: 'compare' }>;

/**
 * The coordinator's executor, with numbers in place of tensors. Checks that each step gets each leaf once, and its canonical
 * sum.
 */
export class VirtualExecutor implements SumStore {
  readonly cut = NUMBER_CUT;
  /** By step, the weights that it was or is computed with; several after a rollback. */
  private readonly history = new Map<number, Set<number>>();
  /** By buffer. */
  private readonly sums = new Map<number, StoredSum>();
  /** By local worker, the buffers of the step that it computed last: it overwrites them with its next step. */
  private readonly localBuffers = new Map<string, { step: number; buffers: Set<number> }>();
  /** The weights of the best evaluation, where the run keeps them. */
  best: number | undefined;
  residual = INITIAL_RESIDUAL;
  /** The update of the latest step. */
  private update = 0;
  /** What the weights were before the best were restored at the end. */
  private lastTrained: number | undefined;
  /** By step. */
  private readonly snapshots = new Map<number, Vectors>();
  /** By weights, the wrong sums that they rest on; weights without an entry rest on none. */
  private readonly wrongSums = new Map<number, readonly WrongSum[]>();
  private buffersUsed = 0;

  constructor(
    readonly leavesOf: (step: number) => number,
    private readonly mayErr: (name: string) => boolean,
    public weights: number,
    private readonly codec: VirtualCodec | undefined,
  ) {
    this.remember(0);
  }

  /** Number of wrong sums in the weights that were trained last, which were never detected. */
  get unnoticed(): number {
    return this.wrongSums.get(this.lastTrained ?? this.weights)?.length ?? 0;
  }

  /** Partial sums that came over links and have not been released. */
  get buffersInUse(): number {
    let local = 0;
    for (const { buffers } of this.localBuffers.values()) local += buffers.size;
    return this.sums.size - local;
  }

  /** Takes buffers for sums that come over a link. */
  take(sums: number): number[] {
    return Array.from({ length: sums }, () => {
      this.sums.set(++this.buffersUsed, { bytes: bytesOf(0), by: '' });
      return this.buffersUsed;
    });
  }

  write(buffer: number, at: number, bytes: Uint8Array): void {
    (this.sums.get(buffer) as StoredSum).bytes.set(bytes, at);
  }

  /** Sums that came over a link are complete. @param by the name of their worker */
  completed(buffers: readonly number[], by: string): void {
    for (const buffer of buffers) (this.sums.get(buffer) as StoredSum).by = by;
  }

  /** Stores the sums of a local worker, in place of those of its previous step. @returns their buffers */
  storeLocal(sums: readonly number[], by: string, step: number): number[] {
    const last = this.localBuffers.get(by);
    if (last !== undefined && last.step !== step) for (const buffer of last.buffers) this.sums.delete(buffer);
    const buffers = this.take(sums.length);
    for (const [i, sum] of sums.entries()) this.write(buffers[i] as number, 0, bytesOf(sum));
    this.completed(buffers, by);
    const before = last?.step === step ? last.buffers : [];
    this.localBuffers.set(by, { step, buffers: new Set([...before, ...buffers]) });
    return buffers;
  }

  /** Whether a step was, or is to be, computed with these weights. */
  isWeightsOf(step: number, weights: number): boolean {
    return this.history.get(step)?.has(weights) ?? false;
  }

  /** What goes with work, as it is now. */
  outgoing(attachment: 'weights' | 'update'): Uint8Array {
    return bytesOf(attachment === 'weights' ? this.weights : this.update);
  }

  /** A worker was expelled: the next step must not rest on a wrong sum of it. */
  expelled(name: string): void {
    for (const wrong of [...this.wrongSums.values()].flat()) if (wrong.by === name) wrong.isExposed = true;
  }

  /** @param vectors left out: the present ones */
  keepSnapshot(step: number, forget: readonly number[], { weights, best, residual }: Vectors = this): void {
    for (const old of forget) this.snapshots.delete(old);
    this.snapshots.set(step, { weights, best, residual });
  }

  /** @throws Error when there is no snapshot of this step */
  restoreSnapshot(step: number, forget: readonly number[]): void {
    for (const old of forget) this.snapshots.delete(old);
    const snapshot = this.snapshots.get(step);
    if (snapshot === undefined) throw new Error(`there is no snapshot of step ${step}`);
    this.weights = snapshot.weights;
    this.best = snapshot.best;
    this.residual = snapshot.residual;
    this.update = SPOILT;
    this.remember(step);
  }

  /** The weights are the best. */
  keepBest(): void {
    this.best = this.weights;
  }

  /** The run ends with the best weights. @throws Error when there are none */
  restoreBest(): void {
    if (this.best === undefined) throw new Error('the best weights were not kept');
    this.lastTrained = this.weights;
    this.weights = this.best;
  }

  /** The process was restarted: its memory is empty, and the weights are those of a checkpoint. */
  resume(step: number, { weights, best, residual }: Vectors): void {
    for (const lost of [this.sums, this.localBuffers, this.snapshots]) lost.clear();
    this.weights = weights;
    this.best = best;
    this.residual = residual;
    this.update = SPOILT;
    if (!this.isWeightsOf(step, weights))
      throw new Error(`step ${step} was resumed with weights that it never had`);
  }

  /**
   * Completes a distributed step, unless its sum is not finite. @returns whether it is
   * @throws Error when the step gets a finite sum that is not its canonical one
   */
  finish(step: number, arrived: readonly PartialSum[]): boolean {
    const leaves = this.leavesOf(step);
    checkLeaves(
      step,
      arrived.map(({ node }) => nodeLeaves(node, leaves)),
      leaves,
    );
    const sums = new Map(arrived.map(({ node, buffer }) => [nodeKey(node), this.at(step, buffer).sum]));
    const nodes = arrived.map(({ node }) => node);
    const root = { level: rootLevel(leaves), index: 0 };
    for (const { into, left, right } of mergePlan(nodes, leaves).adds) {
      const sum = added(sums.get(nodeKey(left)) as number, sums.get(nodeKey(right)) as number);
      const isRounded = this.codec?.shardLevel !== undefined && into.level < root.level;
      sums.set(nodeKey(into), isRounded ? rounded(sum) : sum);
    }
    const sum = sums.get(nodeKey(root)) as number;
    const isUsable = Number.isFinite(sum);
    if (isUsable) {
      const isRight = sum === this.rightSum(step, root);
      this.change(step, sum, isRight ? [] : this.wrongSumsOf(step, arrived));
    } else this.update = SPOILT;
    this.release(arrived.map(({ buffer }) => buffer));
    return isUsable;
  }

  /** Whether sums are not those of a step, computed with weights that it has or had. */
  isWrong(step: number, nodes: readonly TreeNode[], buffers: readonly number[]): boolean {
    const leaves = this.leavesOf(step);
    return ![...(this.history.get(step) ?? [])].some((weights) =>
      nodes.every(
        (node, i) =>
          this.at(step, buffers[i] as number).sum === exchangedSum(weights, step, node, leaves, this.codec),
      ),
    );
  }

  /** Whose sums these are. */
  origins(step: number, arrived: readonly PartialSum[]): ArrivedSum[] {
    return arrived.map((sum) => {
      const { by } = this.at(step, sum.buffer);
      return { ...sum, by, isLocal: this.localBuffers.has(by) };
    });
  }

  /** A step of the local workers. @throws Error when it does not have each leaf of the batch once */
  executeStep(step: number, ranges: readonly LeafRange[]): void {
    const leaves = this.leavesOf(step);
    checkLeaves(step, ranges, leaves);
    this.change(step, this.rightSum(step, { level: rootLevel(leaves), index: 0 }));
  }

  /** Compares answers, each by all of its sums. */
  compare({ step, task, answers }: Compare): {
    step: number;
    task: number;
    hashes: { memberId: string; hash: string }[];
    parameter: string | undefined;
  } {
    const hashes = answers.map(({ memberId, partialSums }) => ({
      memberId,
      hash: partialSums.map(({ buffer }) => this.at(step, buffer).sum).join(),
    }));
    const parameter = hashes.every(({ hash }) => hash === hashes[0]?.hash) ? undefined : 'sum';
    return { step, task, hashes, parameter };
  }

  /** Releases buffers; those of local workers are left alone. @throws Error when one is not in use */
  release(buffers: readonly number[]): void {
    for (const buffer of buffers) {
      if ([...this.localBuffers.values()].some((local) => local.buffers.has(buffer))) continue;
      if (!this.sums.delete(buffer)) throw new Error(`buffer ${buffer} was released twice`);
    }
  }

  private at(step: number, buffer: number): { readonly sum: number; readonly by: string } {
    const stored = this.sums.get(buffer);
    if (stored === undefined) throw new Error(`step ${step} needs buffer ${buffer}, which was released`);
    return { sum: numberOf(stored.bytes), by: stored.by };
  }

  /** @param wrongSums of this step */
  private change(step: number, sum: number, wrongSums: readonly WrongSum[] = []): void {
    const before = this.wrongSums.get(this.weights) ?? [];
    const exposed = before.find(({ isExposed }) => isExposed);
    if (exposed !== undefined)
      throw new Error(
        `step ${step} rests on a wrong sum of ${exposed.by} in step ${exposed.step}, though ${exposed.by} was expelled`,
      );
    const { update, residual } = updateOf(sum, this.residual, this.codec);
    this.update = update;
    this.residual = residual;
    this.weights = mix(this.weights, update);
    const all = [...before, ...wrongSums];
    if (all.length > 0) this.wrongSums.set(this.weights, all);
    this.remember(step + 1);
  }

  private rightSum(step: number, node: TreeNode): number {
    return exchangedSum(this.weights, step, node, this.leavesOf(step), this.codec);
  }

  private remember(step: number): void {
    const known = this.history.get(step);
    if (known === undefined) this.history.set(step, new Set([this.weights]));
    else known.add(this.weights);
  }

  /** Wrong sums among those that arrived. @throws Error when one is of a worker that may not err */
  private wrongSumsOf(step: number, arrived: readonly PartialSum[]): readonly WrongSum[] {
    const wrong = arrived.filter(
      ({ node, buffer }) => this.at(step, buffer).sum !== this.rightSum(step, node),
    );
    return wrong.map(({ node, buffer }) => {
      const { by } = this.at(step, buffer);
      const what = `(${node.level},${node.index}) of ${by} is wrong`;
      if (!this.mayErr(by)) throw new Error(`step ${step} did not get its canonical sum: ${what}`);
      return { step, by, isExposed: false };
    });
  }
}

/** @throws Error when ranges do not cover all leaves, each once */
function checkLeaves(step: number, ranges: readonly LeafRange[], leaves: number): void {
  let covered = 0;
  for (const { from, to } of [...ranges].sort((a, b) => a.from - b.from)) {
    if (from > covered) throw new Error(`step ${step} misses leaf ${covered}`);
    if (from < covered) throw new Error(`step ${step} counts leaf ${from} twice`);
    covered = to;
  }
  if (covered !== leaves) throw new Error(`step ${step} misses leaf ${covered}`);
}
