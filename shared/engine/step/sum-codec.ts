import { type Codec, encodedBytes } from '../../codec/codec.js';
import { type Encoding, emitDecode, emitEncode, emitQuantize, encodingOf } from '../../codec/encoding.js';
import type { Plan } from '../../compiler/plan.js';
import type { CommandBuffer } from '../../kernels/command-buffer.js';
import { SCALARS_MAX } from '../../optim/optimizer.js';
import { shardLevelOf } from '../../reduction/shards.js';
import { leafCount } from '../../reduction/tree.js';
import type { SumLayout } from './sum-layout.js';
import type { Span } from './update-partition.js';

/**
 * How a run with a codec writes its vectors for a wire. A partial sum is the encoded gradient, followed by what must stay
 * exact, as float32: the sums for moving averages, and the metric sums. An update is the encoded gradient of a step,
 * followed by the values for moving averages and by the optimizer's scalars of the step.
 */
export interface SumCodec {
  readonly encoding: Encoding;
  /** Partial sums of this level of the tree and above are quantised; see reduction/shards.ts. */
  readonly shardLevel: number;
  /** Byte offset of the exact floats, in a partial sum and in an update. */
  readonly exactAt: number;
  /** The floats of a vector that are exact: to its end in a partial sum, to that of the gradient in an update. */
  readonly exact: Span;
  readonly gradientFloats: number;
  /** Bytes of a partial sum. */
  readonly sumBytes: number;
  /** Byte offset of the scalars in an update. */
  readonly scalarsAt: number;
  /** Bytes of an update. */
  readonly updateBytes: number;
  /** Whether what rounding takes from the gradient of a step is added to that of the next one. */
  readonly keepsResidual: boolean;
}

/** The codec of a run; undefined: vectors are float32. */
export function sumCodecOf(
  codec: Codec,
  { parameters, trainedFloats, gradientFloats, vectorFloats }: Plan,
  { batch, leafSize }: { readonly batch: number; readonly leafSize: number },
): SumCodec | undefined {
  if (codec === 'none') return undefined;
  const trained = parameters.filter(({ momentum, isFrozen }) => momentum === undefined && !isFrozen);
  const exactAt = encodedBytes(codec, trained);
  const scalarsAt = exactAt + 4 * (gradientFloats - trainedFloats);
  return {
    encoding: encodingOf(codec, trained),
    shardLevel: shardLevelOf(leafCount(batch, leafSize)),
    exactAt,
    exact: { from: trainedFloats, to: vectorFloats },
    gradientFloats,
    sumBytes: exactAt + 4 * (vectorFloats - trainedFloats),
    scalarsAt,
    updateBytes: scalarsAt + 4 * SCALARS_MAX,
    keepsResidual: codec === 'int4',
  };
}

type KernelSink = Pick<CommandBuffer, 'emit'>;

/** Byte offsets of a vector, and of what it is encoded to. */
export interface EncodedVector {
  readonly vector: number;
  readonly encoded: number;
}

/** Emits for a slice of a vector: encoded = vector. @param part which floats there are */
export function emitVectorEncode(
  to: KernelSink,
  codec: SumCodec,
  place: EncodedVector,
  span: Span,
  part: 'sum' | 'update',
): void {
  emitEncode(to, { encoding: codec.encoding, ...place, span });
  for (const { vector, encoded, n } of exactFloats(codec, place, span, part))
    to.emit('copyVector', { out: encoded, a: vector, n });
}

/** Emits for a slice of a vector: vector = encoded. */
export function emitVectorDecode(
  to: KernelSink,
  codec: SumCodec,
  place: EncodedVector,
  span: Span,
  part: 'sum' | 'update',
): void {
  emitDecode(to, { encoding: codec.encoding, ...place, span });
  for (const { vector, encoded, n } of exactFloats(codec, place, span, part))
    to.emit('copyVector', { out: vector, a: encoded, n });
}

/** Emits for a slice of a vector: what encoding and decoding make of it, in place. */
export function emitVectorQuantize(to: KernelSink, { encoding }: SumCodec, vector: number, span: Span): void {
  emitQuantize(to, { encoding, vector, span });
}

/** The exact floats in a span: one range, or none. */
function exactFloats(
  { exact, exactAt, gradientFloats }: SumCodec,
  { vector, encoded }: EncodedVector,
  span: Span,
  part: 'sum' | 'update',
): { vector: number; encoded: number; n: number }[] {
  const from = Math.max(exact.from, span.from);
  const n = Math.min(part === 'sum' ? exact.to : gradientFloats, span.to) - from;
  if (n <= 0) return [];
  return [{ vector: vector + 4 * from, encoded: encoded + exactAt + 4 * (from - exact.from), n }];
}

/** What an encoded partial sum holds, in words of four bytes. */
export function encodedLayout({ parameters, gradientFloats }: Plan, codec: SumCodec): SumLayout {
  const { encoding, exact, exactAt, sumBytes } = codec;
  const exactWord = (float: number): number => exactAt / 4 + float - exact.from;
  const parts = parameters
    .filter(({ isFrozen }) => !isFrozen)
    .map(({ name, offset, size, momentum }) => {
      if (momentum !== undefined) return { name, from: exactWord(offset), to: exactWord(offset + size) };
      const at = encoding.tensors.findIndex((tensor) => tensor.offset === offset);
      const from = encoding.tensors[at]?.scales ?? exactAt;
      return { name, from: from / 4, to: (encoding.tensors[at + 1]?.scales ?? exactAt) / 4 };
    });
  return {
    floats: sumBytes / 4,
    codeWords: exactAt / 4,
    metricsAt: exactWord(gradientFloats),
    parts: [...parts, { name: 'metrics', from: exactWord(gradientFloats), to: sumBytes / 4 }],
  };
}
