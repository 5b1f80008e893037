import { OuterStep } from '../../shared/engine/local/outer-step.js';
import type { Evaluation } from '../../shared/engine/passes/evaluation.js';
import type { GradientInspector, GradientStats } from '../../shared/engine/passes/gradient-inspector.js';
import type { RunMemory } from '../../shared/engine/run-memory.js';
import { type Outcome, StepExecutor, type ThreadShare } from '../../shared/engine/step/step-executor.js';
import type { SumLayout } from '../../shared/engine/step/sum-layout.js';
import { assert } from '../../shared/errors.js';
import type { AnswersNews } from '../../shared/protocol/example-news.js';
import type { LeafRange } from '../../shared/reduction/tree.js';
import type { CoordinatorEffect, StepMetrics } from '../state/messages.js';
import type { Metrics } from '../state/observer.js';
import type { AveragedWeights } from './averaged-weights.js';
import { type Comparison, compareSums } from './compare-sums.js';
import { metricMeans } from './metric-means.js';
import type { OutgoingVectors } from './outgoing-vectors.js';

type Execution = Extract<CoordinatorEffect, { kind: 'execute' }>;
type Compare = Extract<CoordinatorEffect, { kind: 'compare' }>;
type Inspect = Extract<CoordinatorEffect, { kind: 'inspect' }>;
type Finish = Extract<CoordinatorEffect, { kind: 'finish' }>;

/** What a coordinator's executor is made of. */
export interface ExecutorParts {
  /** Executes batches, and completes steps; the outer step completes rounds of local updates. */
  readonly steps: StepExecutor | OuterStep;
  /** undefined in a run that evaluates nothing. */
  readonly evaluation: Evaluation | undefined;
  /** The average of the weights, where evaluations use it. */
  readonly averaged?: AveragedWeights | undefined;
  /** Metrics of an evaluation beyond those that the loss counts, given these. */
  readonly measure?: ((means: Metrics) => Promise<Metrics>) | undefined;
  readonly runMemory: RunMemory;
  /** What a partial sum holds. */
  readonly layout: SumLayout;
  /** What a worker needs for a step: the weights and what goes with them, as vectors at these byte offsets. */
  readonly state: Pick<OutgoingVectors, 'cut' | 'order'> & { readonly vectors: readonly number[] };
  /** How encoded updates travel, in a run with a codec. */
  readonly update?: Pick<OutgoingVectors, 'cut' | 'order'> | undefined;
  readonly gradients?: GradientInspector | undefined;
  /** Has the model answer some test samples, or write a text; left out: none are shown. */
  readonly answer?: ((step: number, isSeen: boolean) => Promise<AnswersNews | undefined>) | undefined;
}

/** What the coordinator does with tensors: executions on local threads, the end of a distributed step, evaluations. */
export class CoordinatorExecutor {
  private readonly assignedThreads = new Map<string, LeafRange>();

  constructor(private readonly parts: ExecutorParts) {}

  /** Tells which threads a local worker computes with. */
  assignThreads(memberId: string, threads: LeafRange): void {
    this.assignedThreads.set(memberId, threads);
  }

  /** Executes whole steps on the threads of local workers. @returns the metric sums of each step that was done */
  execute({ step, shares, scalars }: Execution): Promise<Outcome<StepMetrics[]>> {
    const threadShares = shares.map(
      ({ memberId, range }): ThreadShare => ({
        threads: this.assignedThreads.get(memberId) as LeafRange,
        leaves: range,
      }),
    );
    return this.batches.execute(step, threadShares, scalars);
  }

  /** Ends the execution under way after the step under way. */
  interruptExecution(): void {
    this.batches.interrupt();
  }

  /** Puts the scalars of a round's steps where its replicas read them. */
  beginRound(scalars: readonly (readonly number[])[]): void {
    const { steps } = this.parts;
    assert(steps instanceof OuterStep, 'only local updates have rounds');
    steps.begin(scalars);
  }

  /** Adds the partial sums up and updates the weights. @returns the step's metric sums */
  finish({ step, arrived, scalars }: Finish): Promise<Outcome<StepMetrics>> {
    const { steps } = this.parts;
    return steps instanceof OuterStep ? steps.finish(arrived) : steps.finish(step, arrived, scalars);
  }

  /** Compares members' answers to the same task, bit by bit. */
  compare(answers: Compare['answers']): Comparison {
    const { layout, runMemory } = this.parts;
    return compareSums(runMemory.memory, layout, answers);
  }

  /**
   * Inspects backprop in the step ahead, with `ahead`.
   * @returns the stats of the step just done, if it was inspected
   */
  async inspect({ step, ahead }: Inspect): Promise<GradientStats | undefined> {
    const { gradients } = this.parts;
    const seen = gradients?.take(step);
    if (ahead) await gradients?.inspect(step);
    return seen;
  }

  /** What the model makes of some test samples, with the weights as they are; undefined where none are shown. @param isSeen somebody is watching who may see it */
  async answer(step: number, isSeen: boolean): Promise<AnswersNews | undefined> {
    return this.parts.answer?.(step, isSeen);
  }

  /** Metrics of the whole evaluation set, with the weights as they are or their average. @param step steps done */
  async evaluate(step: number): Promise<Metrics> {
    const { evaluation, measure, averaged } = this.parts;
    assert(evaluation !== undefined, 'a run without test data evaluates nothing');
    averaged?.refresh(step);
    const means = this.metricMeans(await evaluation.run(), evaluation.samples);
    return measure === undefined ? means : { ...means, ...(await measure(means)) };
  }

  /** Means of the metrics, from their sums over so many samples. */
  metricMeans(sums: StepMetrics, samples: number): Metrics {
    return metricMeans(this.parts.runMemory.plan, sums, samples);
  }

  /**
   * What goes over the wire with work: the state that a worker needs for a step (the weights; with a codec the optimizer's
   * vectors too, since workers update their own weights), or the encoded update of the latest step. Valid until the next one.
   */
  outgoing(what: 'weights' | 'update'): OutgoingVectors {
    const { runMemory, state, update, steps } = this.parts;
    if (what === 'weights') {
      const { cut, order, vectors } = state;
      return { cut, order, views: vectors.map((at) => runMemory.memory.u8(at, cut.bytes)) };
    }
    const { updateBytes } = steps;
    assert(update !== undefined && updateBytes !== undefined, 'only a run with a codec has updates');
    return { ...update, views: [updateBytes] };
  }

  /** What a partial sum holds. */
  get layout(): SumLayout {
    return this.parts.layout;
  }

  /** Bytes that a worker needs for a step. */
  get weightBytes(): number {
    const { cut, vectors } = this.parts.state;
    return vectors.length * cut.bytes;
  }

  private get batches(): StepExecutor {
    const { steps } = this.parts;
    assert(steps instanceof StepExecutor, 'rounds of local updates are dispatched, not executed');
    return steps;
  }
}
