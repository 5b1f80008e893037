/*
 * How a run of local updates with a codec writes its vectors for a wire. For each of the trained parameters, and for each of the
 * vectors of the optimizer that are averaged, there is an encoded tensor; what must stay exact follows as float32:
 *
 *     result of a replica   codes of the change of the weights, of each averaged vector | change of moving averages | metrics
 *     update of a round     codes of the change of the weights, of each averaged vector | change of moving averages | scalars
 *
 * The update holds the whole new moments, and only the change of the weights. So what rounding takes from a moment is gone after
 * the round, and what it takes from the change is kept by the coordinator and added to the next change. A vector of squares is
 * sent as its roots, which need half the range; they are unsigned, and no positive one becomes 0: a second moment of 0 would make
 * a step of Adam as large as 1 / epsilon.
 */
import { type Compression, encodedBytes } from '../../codec/codec.js';
import {
  type Conversion,
  type Dither,
  type Encoding,
  emitDecode,
  emitEncode,
  encodingOf,
} from '../../codec/encoding.js';
import type { Plan } from '../../compiler/plan.js';
import { keyOf } from '../../graph/keys.js';
import type { CommandBuffer } from '../../kernels/command-buffer.js';
import type { SumLayout } from '../step/sum-layout.js';
import { type Span, slicesOf } from '../step/update-partition.js';

/** One of the vectors that are encoded. */
interface CodedVector {
  /** Byte offset of its codes in a result and in an update. */
  readonly at: number;
  /** It is a vector of squares, and sent as its roots. */
  readonly isSquares: boolean;
  /** Key of the random bits with which results are rounded; undefined: they are rounded to nearest. */
  readonly key: Pick<Dither, 'key0' | 'key1'> | undefined;
}

/** How results and updates are encoded. */
export interface RoundCodec {
  readonly encoding: Encoding;
  /** The change of the weights, and the averaged vectors of the optimizer. */
  readonly vectors: readonly CodedVector[];
  /** Byte offset of the exact floats, in a result and in an update: those of moving averages come first. */
  readonly exactAt: number;
  /** The floats of a vector that moving averages take. */
  readonly exact: Span;
  /** Byte offset of the metrics in a result. */
  readonly metricsAt: number;
  readonly resultBytes: number;
  /** Byte offset of the optimizer's scalars of the round that follows, in an update. */
  readonly scalarsAt: number;
  readonly updateBytes: number;
}

/** What the codec of a round depends on, besides the network. */
interface RoundCodecRule {
  readonly codec: Compression;
  /** Of the run. */
  readonly seed: number;
  /** Averaged vectors of the optimizer, and which of them are squares. */
  readonly averaged: number;
  readonly squares: readonly number[];
  /** The optimizer's scalars of all steps of a round. */
  readonly scalars: number;
}

/** The codec of a run of local updates. */
export function roundCodecOf(
  { parameters, trainedFloats, gradientFloats, vectorFloats }: PlanSize,
  { codec, seed, averaged, squares, scalars }: RoundCodecRule,
): RoundCodec {
  const trained = parameters.filter(({ momentum, isFrozen }) => momentum === undefined && !isFrozen);
  const each = encodedBytes(codec, trained);
  const exactAt = (1 + averaged) * each;
  const metricsAt = exactAt + 4 * (gradientFloats - trainedFloats);
  return {
    encoding: encodingOf(codec, trained),
    vectors: Array.from({ length: 1 + averaged }, (_, i) => {
      const key = codec === 'int4' ? keyOf('localUpdates', seed, String(i)) : undefined;
      return { at: i * each, isSquares: squares.includes(i - 1), key };
    }),
    exactAt,
    exact: { from: trainedFloats, to: gradientFloats },
    metricsAt,
    resultBytes: metricsAt + 4 * (vectorFloats - gradientFloats),
    scalarsAt: metricsAt,
    updateBytes: metricsAt + 4 * scalars,
  };
}

type PlanSize = Pick<Plan, 'parameters' | 'trainedFloats' | 'gradientFloats' | 'vectorFloats'>;

/** What an encoded result holds, in words of four bytes. */
export function encodedResultLayout({ parameters }: PlanSize, codec: RoundCodec): SumLayout {
  const { encoding, vectors, exact, exactAt, metricsAt, resultBytes } = codec;
  const parts = vectors.flatMap(({ at }, i) => {
    const end = vectors[i + 1]?.at ?? exactAt;
    return encoding.tensors.map(({ offset, scales }, j) => {
      const name = parameters.find((one) => one.offset === offset && !one.isFrozen)?.name ?? '';
      const to = encoding.tensors[j + 1]?.scales;
      return {
        name: vectorName(name, i),
        from: (at + scales) / 4,
        to: (to === undefined ? end : at + to) / 4,
      };
    });
  });
  const averages = parameters
    .filter(({ momentum }) => momentum !== undefined)
    .map(({ name, offset, size }) => {
      const from = exactAt / 4 + offset - exact.from;
      return { name, from, to: from + size };
    });
  return {
    floats: resultBytes / 4,
    codeWords: exactAt / 4,
    metricsAt: metricsAt / 4,
    parts: [...parts, ...averages, { name: 'metrics', from: metricsAt / 4, to: resultBytes / 4 }],
  };
}

/** The name of a part of a result. @param vector 0: the change of the weights; from 1 on: vectors of the optimizer */
export function vectorName(parameter: string, vector: number): string {
  return vector === 0 ? parameter : `${parameter} (vector ${vector} of the optimizer)`;
}

/** A thread's part of the vectors. */
export interface CodedSpan extends Span {
  /** Blocks of the vector before it. */
  readonly firstBlock: number;
  /** What follows the vectors belongs to it. */
  readonly isLast: boolean;
}

/** For each thread, the part of the vectors that it converts: whole blocks of tensors. Some may be empty. */
export function codedSpans(plan: Plan, threads: number): CodedSpan[] {
  const { gradientFloats } = plan;
  const spans = slicesOf(plan, threads).map(({ from, to, firstBlock }) => {
    return { from, to: Math.min(to, gradientFloats), firstBlock };
  });
  return spans.map((span) => ({ ...span, isLast: span.from < span.to && span.to === gradientFloats }));
}

type KernelSink = Pick<CommandBuffer, 'emit'>;

/**
 * Emits for a span: codes = vector i. A vector of squares is replaced by its roots.
 * @param encoded byte offset of the result or update
 * @param counter of the random bits of results; left out: rounding is to nearest
 */
export function emitVectorEncode(
  to: KernelSink,
  codec: RoundCodec,
  i: number,
  { vector, encoded, counter }: { vector: number; encoded: number; counter?: number },
  span: Span,
): void {
  const { at, isSquares, key } = codec.vectors[i] as CodedVector;
  const n = span.to - span.from;
  const floats = vector + 4 * span.from;
  if (isSquares) to.emit('squareRoot', { out: floats, a: floats, n });
  emitEncode(to, {
    ...conversion(codec, vector, encoded + at, span),
    isUnsigned: isSquares,
    dither: counter === undefined || key === undefined ? undefined : { step: counter, ...key },
  });
}

/** Emits for a span: vector = what the codes of vector i stand for. */
export function emitVectorDecode(
  to: KernelSink,
  codec: RoundCodec,
  i: number,
  { vector, encoded }: { vector: number; encoded: number },
  span: Span,
): void {
  const { at, isSquares } = codec.vectors[i] as CodedVector;
  emitDecode(to, { ...conversion(codec, vector, encoded + at, span), isUnsigned: isSquares });
  const n = span.to - span.from;
  const floats = vector + 4 * span.from;
  if (isSquares) to.emit('multiplyVectors', { out: floats, a: floats, b: floats, n });
}

/** The exact floats of moving averages in a span: their byte offsets in a vector and in its encoding; undefined: none. */
export function exactPart(
  { exact, exactAt }: RoundCodec,
  { vector, encoded }: { vector: number; encoded: number },
  span: Span,
): { readonly vector: number; readonly encoded: number; readonly n: number } | undefined {
  const from = Math.max(exact.from, span.from);
  const n = Math.min(exact.to, span.to) - from;
  if (n <= 0) return undefined;
  return { vector: vector + 4 * from, encoded: encoded + exactAt + 4 * (from - exact.from), n };
}

function conversion({ encoding }: RoundCodec, vector: number, encoded: number, span: Span): Conversion {
  return { encoding, vector, encoded, span };
}
