/* The kernel calls of a reduction, and of the rounding of its root, on one span of the vectors. */
import { assert } from '../../errors.js';
import type { CommandBuffer } from '../../kernels/command-buffer.js';
import type { Reduction, SegmentAdd, SegmentPlaceInMemory } from './partial-sum-addition.js';
import {
  type EncodedVector,
  emitVectorDecode,
  emitVectorEncode,
  emitVectorQuantize,
  type SumCodec,
} from './sum-codec.js';
import type { Span } from './update-partition.js';
import type { Updater } from './updater.js';

/** Emits a reduction. @param codec undefined: it only adds */
export function emitReduction(
  to: CommandBuffer,
  codec: SumCodec | undefined,
  { decodes, steps, encodes }: Reduction,
  span: Span,
): void {
  const [at, n] = [span.from * 4, span.to - span.from];
  const coded = (): SumCodec => {
    assert(codec !== undefined, 'only a run with a codec encodes');
    return codec;
  };
  for (const place of decodes) emitVectorDecode(to, coded(), place, span, 'sum');
  for (const step of steps) {
    if ('quantize' in step) emitVectorQuantize(to, coded(), step.quantize, span);
    else to.emit('addVectors', { out: step.out + at, a: step.a + at, b: step.b + at, n });
  }
  for (const place of encodes) emitVectorEncode(to, coded(), place, span, 'sum');
}

/**
 * Emits: the root is encoded as the step's update, and replaced by what the update decodes to, so that this machine updates
 * its weights as every other one does. Where a residual is kept, it is added before, and the next one follows from it.
 * @param root byte offset of its vector
 * @param isReceived the update came from another machine: there is nothing to encode
 */
export function emitRounding(
  to: CommandBuffer,
  codec: SumCodec,
  { root, updater, isReceived }: { root: number; updater: Updater; isReceived: boolean },
  span: Span,
): void {
  const { update, residual } = updater;
  assert(update !== undefined, 'with a codec, who updates weights has room for an update');
  const place = { vector: root, encoded: update };
  const at = span.from * 4;
  const n = Math.min(span.to, codec.exact.from) - span.from;
  const sum = root + at;
  if (residual !== undefined && n > 0) {
    to.emit('addVectors', { out: sum, a: sum, b: residual.now + at, n });
    to.emit('copyVector', { out: residual.next + at, a: sum, n });
  }
  if (!isReceived) emitVectorEncode(to, codec, place, span, 'update');
  emitVectorDecode(to, codec, place, span, 'update');
  if (residual !== undefined && n > 0)
    to.emit('subtractVectors', { out: residual.next + at, a: residual.next + at, b: sum, n });
}

/** What tells a reduction from others, as text. */
export function describeReduction({ decodes, steps, encodes }: Reduction): string {
  const conversion = ({ vector, encoded }: EncodedVector): string => `${vector}:${encoded}`;
  const step = (one: Reduction['steps'][number]): string =>
    'quantize' in one ? `q${one.quantize}` : `${one.out},${one.a},${one.b}`;
  return [...decodes.map(conversion), ...steps.map(step), ...encodes.map(conversion)].join(' ');
}

/** A key of additions of a segment. */
export function describeSegmentAdds(adds: readonly SegmentAdd[]): string {
  const place = (one: SegmentPlaceInMemory | undefined): string =>
    one === undefined ? '' : 'room' in one ? `r${one.room}` : `${one.vector}`;
  return adds.map(({ out, a, b }) => `${place(out)},${place(a)},${place(b)}`).join(' ');
}

/**
 * Emits additions of one segment of vectors.
 * @param span of the vectors
 * @param roomAt byte offset of room for a segment
 */
export function emitSegmentAdds(
  to: CommandBuffer,
  adds: readonly SegmentAdd[],
  span: Span,
  roomAt: (room: number) => number,
): void {
  const n = span.to - span.from;
  const offset = (place: SegmentPlaceInMemory): number =>
    'room' in place ? roomAt(place.room) : place.vector + 4 * span.from;
  for (const { out, a, b } of adds) {
    if (b === undefined) to.emit('copyVector', { out: offset(out), a: offset(a), n });
    else to.emit('addVectors', { out: offset(out), a: offset(a), b: offset(b), n });
  }
}
