import type { Comparison } from '../coordinator/compute/compare-sums.js';
import type { SumStore } from '../coordinator/compute/incoming-sums.js';
import type { CoordinatorEffect } from '../coordinator/state/messages.js';
import type { ComputedPart } from '../relay/relay-state.js';
import type { PartialSum } from '../shared/engine/step/partial-sum-addition.js';
import { mergePlan, nodeKey } from '../shared/reduction/merge-plan.js';
import { rootLevel, type TreeNode } from '../shared/reduction/tree.js';
import { mix, rounded, type VirtualCodec } from './arithmetic.js';
import { bytesOf, NUMBER_CUT, numberOf } from './vectors.js';

type Compare = Extract<CoordinatorEffect, { kind: 'compare' }>;

/** Partial sums at a relay, as numbers. */
export class RelayedSums implements SumStore {
  readonly cut = NUMBER_CUT;
  private readonly sums = new Map<number, Uint8Array>();
  private taken = 0;

  /** How many are held. */
  get count(): number {
    return this.sums.size;
  }

  take(vectors: number): number[] {
    return Array.from({ length: vectors }, () => {
      this.sums.set(++this.taken, bytesOf(0));
      return this.taken;
    });
  }

  write(buffer: number, at: number, bytes: Uint8Array): void {
    (this.sums.get(buffer) as Uint8Array).set(bytes, at);
  }

  /** @throws Error when one is not held */
  release(buffers: readonly number[]): void {
    for (const buffer of buffers)
      if (!this.sums.delete(buffer)) throw new Error(`a relay has released buffer ${buffer} twice`);
  }

  private at(buffer: number): number {
    const bytes = this.sums.get(buffer);
    if (bytes === undefined) throw new Error(`a relay needs buffer ${buffer}, which it has released`);
    return numberOf(bytes);
  }

  /** Compares answers, each by all of its sums. */
  compare(answers: Compare['answers']): Comparison {
    const hashes = answers.map(({ memberId, partialSums }) => ({
      memberId,
      hash: this.hashOf({ partialSums }),
    }));
    const parameter = hashes.every(({ hash }) => hash === hashes[0]?.hash) ? undefined : 'sum';
    return { hashes, parameter };
  }

  /** Stands for the hash of sums: it is what comparisons have. */
  hashOf({ partialSums }: Pick<ComputedPart, 'partialSums'>): string {
    return partialSums.map(({ buffer }) => this.at(buffer)).join();
  }

  /** Adds what has arrived, as far as the tree adds it; with a codec below its root. */
  add(
    arrived: readonly PartialSum[],
    leaves: number,
    codec: VirtualCodec | undefined,
  ): { readonly node: TreeNode; readonly sum: number }[] {
    const isRounded = codec?.shardLevel !== undefined;
    const sums = new Map(arrived.map(({ node, buffer }) => [nodeKey(node), this.at(buffer)]));
    const sumOf = (node: TreeNode): number => sums.get(nodeKey(node)) as number;
    const plan = mergePlan(
      arrived.map(({ node }) => node),
      leaves,
    );
    let { tops } = plan;
    for (const { into, left, right } of plan.adds) {
      if (isRounded && into.level === rootLevel(leaves)) {
        tops = [left, right];
        continue;
      }
      const sum = mix(sumOf(left), sumOf(right));
      sums.set(nodeKey(into), isRounded ? rounded(sum) : sum);
    }
    return tops.map((node) => ({ node, sum: sumOf(node) }));
  }
}
