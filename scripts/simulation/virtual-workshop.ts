import type { CoordinatorEffect } from '../../coordinator/messages.js';
import type { Partial } from '../../shared/engine/partials.js';
import { nodeLeaves, type Range, rootLevel } from '../../shared/sum/leaves.js';
import { mergePlan, nodeKey } from '../../shared/sum/merge.js';
import { canonicalSum, mix } from './arithmetic.js';

/** Sums that lie in the coordinator's memory. */
interface Laid {
  readonly sum: number;
  readonly by: string;
}

/** A wrong sum that counted in a step. */
interface Stain {
  readonly step: number;
  readonly by: string;
  /** Its node was expelled after it: the run must not go on from here. */
  isKnown: boolean;
}

type Compare = Extract<CoordinatorEffect, { kind: 'compare' }>;

/**
 * What a coordinator does with tensors, with numbers in their place; and the judge of it: each step must be given each
 * leaf once, and its canonical sum.
 */
export class VirtualWorkshop {
  /** By step, the weights that it was or is computed with. */
  private readonly history = new Map<number, Set<number>>();
  private readonly laid = new Map<number, Laid>();
  /** What local nodes have computed last: it lies where they made it, until they compute another step. */
  private readonly local = new Map<string, { step: number; slots: Set<number> }>();
  /** What was kept, by step. */
  private readonly kept = new Map<number, number>();
  private stains: Stain[] = [];
  private slotsUsed = 0;

  constructor(
    private readonly leavesOf: (step: number) => number,
    private readonly mayErr: (name: string) => boolean,
    public weights: number,
  ) {
    this.remember(0);
  }

  /** Wrong sums that are in the weights, seen by nobody. */
  get unnoticed(): number {
    return this.stains.length;
  }

  /** Sums that came over links and have not been given back. */
  get slotsInUse(): number {
    let local = 0;
    for (const { slots } of this.local.values()) local += slots.size;
    return this.laid.size - local;
  }

  /** Lays sums down that came over a link. Returns where. */
  takeIn(sums: readonly number[], by: string): number[] {
    return sums.map((sum) => {
      this.laid.set(++this.slotsUsed, { sum, by });
      return this.slotsUsed;
    });
  }

  /** A local node has computed sums, where it computed those of its last step. */
  compute(sums: readonly number[], by: string, step: number): number[] {
    const last = this.local.get(by);
    if (last !== undefined && last.step !== step) for (const slot of last.slots) this.laid.delete(slot);
    const slots = this.takeIn(sums, by);
    const before = last?.step === step ? last.slots : [];
    this.local.set(by, { step, slots: new Set([...before, ...slots]) });
    return slots;
  }

  /** Whether a step was, or is to be, computed with these weights. */
  knows(step: number, weights: number): boolean {
    return this.history.get(step)?.has(weights) ?? false;
  }

  payload(): Uint8Array {
    const bytes = new Uint8Array(4);
    new DataView(bytes.buffer).setUint32(0, this.weights);
    return bytes;
  }

  /** A node was found to be wrong: the next step must not rest on anything wrong of it. */
  expelled(name: string): void {
    for (const stain of this.stains) if (stain.by === name) stain.isKnown = true;
  }

  keep(step: number, forget: readonly number[]): void {
    for (const old of forget) this.kept.delete(old);
    this.kept.set(step, this.weights);
  }

  /** Goes back. @throws Error when nothing was kept of this step */
  restore(step: number, forget: readonly number[]): void {
    for (const old of forget) this.kept.delete(old);
    const weights = this.kept.get(step);
    if (weights === undefined) throw new Error(`nothing was kept of step ${step}`);
    this.weights = weights;
    this.stains = this.stains.filter((stain) => stain.step < step);
    this.remember(step);
  }

  /** The process has started anew: what was in its memory is gone, and the weights are those of a checkpoint. */
  resume(step: number, weights: number): void {
    for (const held of [this.laid, this.local, this.kept]) held.clear();
    this.weights = weights;
    this.stains = this.stains.filter((stain) => stain.step < step);
    if (!this.knows(step, weights))
      throw new Error(`step ${step} was resumed with weights that it never had`);
  }

  /** Ends a round. @throws Error when the step is not given its canonical sum */
  finish(step: number, arrived: readonly Partial[]): void {
    const leaves = this.leavesOf(step);
    expectAllOnce(
      step,
      arrived.map(({ node }) => nodeLeaves(node, leaves)),
      leaves,
    );
    const sums = new Map(arrived.map(({ node, slot }) => [nodeKey(node), this.at(step, slot).sum]));
    const nodes = arrived.map(({ node }) => node);
    for (const { into, left, right } of mergePlan(nodes, leaves).adds)
      sums.set(nodeKey(into), mix(sums.get(nodeKey(left)) as number, sums.get(nodeKey(right)) as number));
    const root = { level: rootLevel(leaves), index: 0 };
    const sum = sums.get(nodeKey(root)) as number;
    if (sum !== canonicalSum(this.weights, step, root, leaves)) this.blame(step, arrived);
    this.update(step, sum);
    this.release(arrived.map(({ slot }) => slot));
  }

  /** A step of the local threads. @throws Error when it is not over all leaves of the batch */
  stride(step: number, ranges: readonly Range[]): void {
    const leaves = this.leavesOf(step);
    expectAllOnce(step, ranges, leaves);
    this.update(step, canonicalSum(this.weights, step, { level: rootLevel(leaves), index: 0 }, leaves));
  }

  /** Compares answers, each by all of its sums. */
  compare({ step, task, answers }: Compare): {
    step: number;
    task: number;
    hashes: { memberId: string; hash: string }[];
    parameter: string | undefined;
  } {
    const hashes = answers.map(({ memberId, partials }) => ({
      memberId,
      hash: partials.map(({ slot }) => this.at(step, slot).sum).join(),
    }));
    const parameter = hashes.every(({ hash }) => hash === hashes[0]?.hash) ? undefined : 'sum';
    return { step, task, hashes, parameter };
  }

  /** Gives places back. @throws Error when one is not in use */
  release(slots: readonly number[]): void {
    for (const slot of slots) {
      if ([...this.local.values()].some((local) => local.slots.has(slot))) continue;
      if (!this.laid.delete(slot)) throw new Error(`sum ${slot} was given back twice`);
    }
  }

  private at(step: number, slot: number): Laid {
    const laid = this.laid.get(slot);
    if (laid === undefined) throw new Error(`step ${step} needs sum ${slot}, which is gone`);
    return laid;
  }

  private update(step: number, sum: number): void {
    const known = this.stains.find(({ isKnown }) => isKnown);
    if (known !== undefined)
      throw new Error(
        `step ${step} rests on what ${known.by} said in step ${known.step}, which was found wrong`,
      );
    this.weights = mix(this.weights, sum);
    this.remember(step + 1);
  }

  private remember(step: number): void {
    const known = this.history.get(step);
    if (known === undefined) this.history.set(step, new Set([this.weights]));
    else known.add(this.weights);
  }

  /** @throws Error when a wrong sum is of someone who may not be wrong */
  private blame(step: number, arrived: readonly Partial[]): void {
    const leaves = this.leavesOf(step);
    const wrong = arrived.filter(
      ({ node, slot }) => this.at(step, slot).sum !== canonicalSum(this.weights, step, node, leaves),
    );
    for (const { node, slot } of wrong) {
      const { by } = this.at(step, slot);
      const what = `(${node.level},${node.index}) of ${by} is wrong`;
      if (!this.mayErr(by)) throw new Error(`step ${step} was not given its canonical sum: ${what}`);
      this.stains.push({ step, by, isKnown: false });
    }
  }
}

function expectAllOnce(step: number, ranges: readonly Range[], leaves: number): void {
  let covered = 0;
  for (const { from, to } of [...ranges].sort((a, b) => a.from - b.from)) {
    if (from > covered) throw new Error(`step ${step} misses leaf ${covered}`);
    if (from < covered) throw new Error(`step ${step} counts leaf ${from} twice`);
    covered = to;
  }
  if (covered !== leaves) throw new Error(`step ${step} misses leaf ${covered}`);
}
