import type { Comparison } from '../coordinator/compute/compare-sums.js';
import type { SumStore } from '../coordinator/compute/incoming-sums.js';
import type { CoordinatorEffect } from '../coordinator/state/messages.js';
import type { SegmentAddition } from '../relay/forwarded-sums.js';
import type { ComputedPart } from '../relay/relay-state.js';
import {
  type PartialSum,
  planSegmentAdds,
  type SegmentPlaceInMemory,
} from '../shared/engine/step/partial-sum-addition.js';
import { mergePlan, nodeKey } from '../shared/reduction/merge-plan.js';
import { rootLevel, type TreeNode } from '../shared/reduction/tree.js';
import { added, addedHalf, rounded, type VirtualCodec } from './arithmetic.js';
import { bytesOf, halfBytes, halvesOf, NUMBER_CUT, numberOf } from './vectors.js';

type Compare = Extract<CoordinatorEffect, { kind: 'compare' }>;

/** Partial sums at a relay, as numbers. */
export class RelayedSums implements SumStore {
  readonly cut = NUMBER_CUT;
  private readonly sums = new Map<number, Uint8Array>();
  private taken = 0;

  /** @param onRelease called with buffers that are released */
  constructor(private readonly onRelease: (buffers: readonly number[]) => void) {}

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
    this.onRelease(buffers);
    for (const buffer of buffers)
      if (!this.sums.delete(buffer)) throw new Error(`a relay has released buffer ${buffer} twice`);
  }

  /** @throws Error when it is not held */
  bytes(buffer: number): Uint8Array {
    const bytes = this.sums.get(buffer);
    if (bytes === undefined) throw new Error(`a relay needs buffer ${buffer}, which it has released`);
    return bytes;
  }

  private at(buffer: number): number {
    return numberOf(this.bytes(buffer));
  }

  /** Adds segments of what has arrived, by production's plan. @param results the buffers of the results */
  addSegments({ sums, segments }: SegmentAddition, leaves: number, results: readonly number[]): void {
    const { adds } = planSegmentAdds(sums, leaves, results);
    for (const index of segments) {
      const rooms: number[] = [];
      const read = (place: SegmentPlaceInMemory): number =>
        'room' in place
          ? (rooms[place.room] as number)
          : (halvesOf(this.bytes(place.vector))[index] as number);
      for (const { out, a, b } of adds) {
        const sum = b === undefined ? read(a) : addedHalf(index, read(a), read(b));
        if ('room' in out) rooms[out.room] = sum;
        else this.write(out.vector, NUMBER_CUT.segments[index]?.at ?? 0, halfBytes(sum));
      }
    }
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
      const sum = added(sumOf(left), sumOf(right));
      sums.set(nodeKey(into), isRounded ? rounded(sum) : sum);
    }
    return tops.map((node) => ({ node, sum: sumOf(node) }));
  }
}
