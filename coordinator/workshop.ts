import type { Crew, Outcome, ThreadShare } from '../shared/engine/crew.js';
import type { Evaluation } from '../shared/engine/evaluation.js';
import type { GradientFigures, GradientWatch } from '../shared/engine/gradient-watch.js';
import type { RunPlace } from '../shared/engine/step-compiler.js';
import { sha256OfPieces } from '../shared/files/sha256.js';
import { canonicalBytes } from '../shared/files/tensors.js';
import type { Range } from '../shared/sum/leaves.js';
import { meansOf } from './means.js';
import type { Compared, CoordinatorEffect, StepMetrics } from './messages.js';
import type { Metrics } from './observer.js';

type Stride = Extract<CoordinatorEffect, { kind: 'stride' }>;
type Compare = Extract<CoordinatorEffect, { kind: 'compare' }>;
type Watch = Extract<CoordinatorEffect, { kind: 'watch' }>;
type Finish = Extract<CoordinatorEffect, { kind: 'finish' }>;

/** What the coordinator does with tensors: strides of the local nodes, the end of a round, evaluations. */
export class Workshop {
  private readonly seats = new Map<string, Range>();

  constructor(
    private readonly crew: Crew,
    private readonly evaluation: Evaluation,
    private readonly place: RunPlace,
    private readonly gradients?: GradientWatch,
  ) {}

  /** The threads that a local node computes with. */
  seat(memberId: string, threads: Range): void {
    this.seats.set(memberId, threads);
  }

  /** Takes whole steps on the threads of local nodes. Returns the metric sums of each step that was done. */
  stride({ step, shares, scalars }: Stride): Promise<Outcome<StepMetrics[]>> {
    const threadShares = shares.map(
      ({ memberId, range }): ThreadShare => ({ threads: this.seats.get(memberId) as Range, leaves: range }),
    );
    return this.crew.stride(step, threadShares, scalars);
  }

  /** Ends the stride under way after the step under way. */
  interruptStride(): void {
    this.crew.interrupt();
  }

  /** Adds the partial sums up and updates the weights. Returns the step's metric sums. */
  finish({ step, arrived, scalars }: Finish): Promise<Outcome<StepMetrics>> {
    return this.crew.finish(step, arrived, scalars);
  }

  /** Compares what members made of the same task, bit by bit. */
  compare(answers: Compare['answers']): Pick<Compared, 'hashes' | 'parameter'> {
    const { parameters, parameterFloats, vectorFloats } = this.place.plan;
    const sums = answers.map(({ memberId, partials }) => ({
      memberId,
      vectors: partials.map(({ slot }) => canonicalBytes(this.place.memory.f32(slot, vectorFloats))),
    }));
    const parts = [
      ...parameters.map(({ name, offset, size }) => ({ name, from: offset, to: offset + size })),
      { name: 'metrics', from: parameterFloats, to: vectorFloats },
    ];
    const differs = ({ from, to }: { from: number; to: number }): boolean => {
      const hashes = sums.map(({ vectors }) =>
        sha256OfPieces(vectors.map((vector) => vector.subarray(4 * from, 4 * to))),
      );
      return new Set(hashes).size > 1;
    };
    const hashes = sums.map(({ memberId, vectors }) => ({ memberId, hash: sha256OfPieces(vectors) }));
    const areEqual = hashes.every(({ hash }) => hash === hashes[0]?.hash);
    // Gaps between parameters are hashed with the rest, though they belong to none.
    return { hashes, parameter: areEqual ? undefined : (parts.find(differs)?.name ?? 'padding') };
  }

  /**
   * Looks at backprop in the step ahead, if that is to be watched.
   * @returns what was seen in the step just done, if it was watched
   */
  async watch({ step, ahead }: Watch): Promise<GradientFigures | undefined> {
    const seen = this.gradients?.take(step);
    if (ahead) await this.gradients?.look(step);
    return seen;
  }

  /** Means of the metrics over the whole evaluation set, with the weights as they are. */
  async evaluate(): Promise<Metrics> {
    return this.meansOf(await this.evaluation.run(), this.evaluation.samples);
  }

  /** Means of the metrics, from their sums over so many samples. */
  meansOf(sums: StepMetrics, samples: number): Metrics {
    return meansOf(this.place.plan, sums, samples);
  }

  /** The parameters, as they go over the wire: where they lie, until the next update. */
  weightBytes(): Uint8Array {
    const { memory, weights, plan } = this.place;
    return memory.u8(weights, plan.parameterFloats * 4);
  }
}
