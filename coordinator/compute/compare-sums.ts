import type { ComputeMemory } from '../../shared/engine/memory.js';
import type { SumLayout } from '../../shared/engine/step/sum-layout.js';
import { sha256OfPieces } from '../../shared/files/sha256.js';
import { canonicalBytes } from '../../shared/files/tensors.js';
import type { Compared, CoordinatorEffect } from '../state/messages.js';

/** What comes of a comparison. */
export type Comparison = Pick<Compared, 'hashes' | 'parameter'>;

/** Compares members' answers to the same task, bit by bit. @param layout what a partial sum holds */
export function compareSums(
  memory: ComputeMemory,
  layout: SumLayout,
  answers: Extract<CoordinatorEffect, { kind: 'compare' }>['answers'],
): Comparison {
  const sums = answers.map(({ memberId, partialSums }) => ({
    memberId,
    vectors: partialSums.map(({ buffer }) => comparableBytes(memory, layout, buffer)),
  }));
  const differs = ({ from, to }: { from: number; to: number }): boolean => {
    const hashes = sums.map(({ vectors }) =>
      sha256OfPieces(vectors.map((vector) => vector.subarray(4 * from, 4 * to))),
    );
    return new Set(hashes).size > 1;
  };
  const hashes = sums.map(({ memberId, vectors }) => ({ memberId, hash: sha256OfPieces(vectors) }));
  const areEqual = hashes.every(({ hash }) => hash === hashes[0]?.hash);
  // Gaps between parameters are hashed with the rest, though they belong to none.
  return { hashes, parameter: areEqual ? undefined : (layout.parts.find(differs)?.name ?? 'padding') };
}

/** A partial sum as bytes, equal for equal sums: codes as they are, floats with NaN canonicalised. */
function comparableBytes(memory: ComputeMemory, layout: SumLayout, buffer: number): Uint8Array {
  const codes = 4 * (layout.codeWords ?? 0);
  const bytes = memory.u8(buffer, 4 * layout.floats).slice();
  bytes.set(canonicalBytes(memory.f32(buffer + codes, layout.floats - codes / 4)), codes);
  return bytes;
}
