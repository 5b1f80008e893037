import type { Compression } from '../../codec/codec.js';
import type { Plan } from '../../compiler/plan.js';
import type { LocalUpdates, OuterRule } from '../../optim/local-updates.js';
import type { Optimizer } from '../../optim/optimizer.js';
import type { ComputeMemory } from '../memory.js';
import type { SumLayout } from '../step/sum-layout.js';
import { encodedResultLayout, type RoundCodec, roundCodecOf, vectorName } from './round-codec.js';

/** What decides a round, besides the model and the data. */
export interface RoundRule {
  readonly local: LocalUpdates;
  readonly optimizer: Optimizer;
  readonly outer: OuterRule;
  /** Decay of the moving average of the weights from round to round; left out: none is kept. */
  readonly averageDecay?: number | undefined;
  /** How results and updates are encoded; left out: results are float32, and whole states are sent instead of updates. */
  readonly codec?: RoundCodec | undefined;
}

/**
 * Where the state lies that all replicas of a round begin with: the weights, the vectors of the optimizer that are averaged, and
 * the optimizer's scalars of each of the round's steps. It is one region, and goes over links as it is.
 */
export interface RoundMemory {
  /** Byte offset of the weights, which come first. */
  readonly weights: number;
  /** Byte offsets of the averaged vectors of the optimizer. */
  readonly state: readonly number[];
  /** Byte offset of the scalars: f32[steps][scalarCount]. */
  readonly scalars: number;
  readonly scalarCount: number;
  /** Bytes of the whole region. */
  readonly bytes: number;
}

/** Bytes of the state that a round begins with. */
export function roundBytes({ parameterFloats }: Pick<Plan, 'parameterFloats'>, rule: RoundRule): number {
  return (1 + averagedVectors(rule)) * parameterFloats * 4 + rule.local.steps * scalarCount(rule) * 4;
}

/** What the coordinator remembers from round to round, beside the state that a round begins with: byte offsets. */
export interface OuterVectors {
  /** The outer momentum, where the rule has one. */
  readonly velocity: number | undefined;
  /** With a codec: what rounding has taken from the change of the weights so far. */
  readonly residual: number | undefined;
  /** What the moving average of the weights is computed from, where one is kept; see weight-average.ts. */
  readonly average: number | undefined;
}

/** Allocates what the coordinator remembers from round to round. */
export function allocateOuterVectors(
  memory: ComputeMemory,
  { parameterFloats }: Pick<Plan, 'parameterFloats'>,
  { outer, codec, averageDecay }: RoundRule,
): OuterVectors {
  const allocate = (): number => memory.allocate(parameterFloats * 4, 'outer step');
  return {
    velocity: outer.momentum > 0 ? allocate() : undefined,
    residual: codec === undefined ? undefined : allocate(),
    average: averageDecay === undefined ? undefined : allocate(),
  };
}

/** Allocates the scalars of the outer rule, for sgdUpdate: f32[4]. @returns their byte offset */
export function allocateOuterScalars(
  memory: ComputeMemory,
  { outer: { rate, momentum } }: RoundRule,
): number {
  const at = memory.allocate(4 * 4, 'outer step');
  memory.f32(at, 4).set([rate, momentum, 1, 0]);
  return at;
}

/** Allocates the state that a round begins with. */
export function allocateRound(
  memory: ComputeMemory,
  plan: Pick<Plan, 'parameterFloats'>,
  rule: RoundRule,
): RoundMemory {
  const bytes = roundBytes(plan, rule);
  const weights = memory.allocate(bytes, 'parameters');
  const vectorBytes = plan.parameterFloats * 4;
  const vectors = averagedVectors(rule);
  return {
    weights,
    state: Array.from({ length: vectors }, (_, i) => weights + (1 + i) * vectorBytes),
    scalars: weights + (1 + vectors) * vectorBytes,
    scalarCount: scalarCount(rule),
    bytes,
  };
}

/** The codec of a run of local updates. @param seed of the run */
export function codecOfRounds(
  plan: PlanSize,
  rule: Omit<RoundRule, 'codec'>,
  codec: Compression,
  seed: number,
): RoundCodec {
  const { squares } = rule.outer;
  const scalars = rule.local.steps * scalarCount(rule);
  return roundCodecOf(plan, { codec, seed, averaged: averagedVectors(rule), squares, scalars });
}

/** The result of a replica as it is sent. */
export function resultLayout(plan: PlanSize, rule: RoundRule): SumLayout {
  return rule.codec === undefined ? vectorLayout(plan, rule) : encodedResultLayout(plan, rule.codec);
}

type PlanSize = Pick<
  Plan,
  'parameters' | 'parameterFloats' | 'trainedFloats' | 'gradientFloats' | 'vectorFloats'
>;

/**
 * The result of a replica as float32, and sums of them: the change of the weights, the averaged vectors of the optimizer, and the
 * metric sums over all of its steps.
 */
export function vectorLayout(
  { parameters, parameterFloats, gradientFloats, vectorFloats }: PlanSize,
  rule: RoundRule,
): SumLayout {
  const vectors = 1 + averagedVectors(rule);
  const metricsAt = vectors * parameterFloats;
  const parts = Array.from({ length: vectors }, (_, i) =>
    parameters.map(({ name, offset, size }) => {
      const from = i * parameterFloats + offset;
      return { name: vectorName(name, i), from, to: from + size };
    }),
  ).flat();
  const floats = metricsAt + vectorFloats - gradientFloats;
  return { floats, metricsAt, parts: [...parts, { name: 'metrics', from: metricsAt, to: floats }] };
}

function averagedVectors({ optimizer, outer }: Pick<RoundRule, 'optimizer' | 'outer'>): number {
  return outer.averagesState ? optimizer.buffers : 0;
}

function scalarCount({ optimizer }: Pick<RoundRule, 'optimizer'>): number {
  return optimizer.update(optimizer.init(), 1).scalars.length;
}
