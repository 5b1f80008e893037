import { createPlan, type Plan } from '../shared/compiler/plan.js';
import type { Dataset } from '../shared/data/dataset.js';
import { fieldValues } from '../shared/data/field-values.js';
import { OutputPass } from '../shared/engine/passes/outputs.js';
import type { RunMemory } from '../shared/engine/run-memory.js';
import type { ThreadPool } from '../shared/engine/threads/thread-pool.js';
import { UserError } from '../shared/errors.js';
import type { Metric, MetricInput } from '../shared/metrics/metric.js';
import { columnsOf, type OutputPart, outputParts } from './output-parts.js';
import { withProbabilities } from './probabilities.js';

/** Means and metrics by name. */
type Numbers = Readonly<Record<string, number>>;

/** A metric, and what it is told of a data set. */
interface BoundMetric {
  readonly metric: Metric;
  readonly target: string | undefined;
  readonly input: MetricInput;
  /** Of several outputs, where the one that is measured lies in a row. */
  readonly part?: OutputPart | undefined;
}

/**
 * Checks that metrics fit a network and its data.
 * @returns those that the loss does not count already
 * @throws UserError when one does not fit, or two have one name
 */
function bind(plan: Plan, outputs: Plan, dataset: Dataset, metrics: readonly Metric[]): BoundMetric[] {
  const { loss } = plan.model;
  const bound = metrics
    .filter(
      ({ name, target }) => name !== 'accuracy' || target !== undefined || !plan.metrics.includes('correct'),
    )
    .map((metric): BoundMetric => {
      const target = metric.target ?? loss.target;
      const { fields } = dataset.manifest;
      if (metric.target !== undefined && !Object.hasOwn(fields, metric.target))
        throw new UserError(
          `the metric ${metric.name} needs the field ${metric.target}; the fields of the data are ${Object.keys(fields).join(', ')}`,
        );
      const ignored = loss.attributes.ignoreIndex;
      const part = partOf(metric, plan);
      const input = {
        output: part?.shape ?? outputs.output,
        target: target === undefined ? undefined : fields[target]?.shape,
        loss: loss.kind,
        ignored: typeof ignored === 'number' ? ignored : undefined,
      };
      metric.start(input);
      return { metric, target, input, part };
    });
  const names = bound.map(({ metric }) => metric.name);
  const twice = names.find((name, i) => names.indexOf(name) < i);
  if (twice !== undefined) throw new UserError(`two metrics are called ${twice}; rename or drop one`);
  return bound;
}

/** The output that a metric measures; undefined for a model with one output. */
function partOf({ name, output }: Metric, { model }: Plan): OutputPart | undefined {
  const parts = outputParts(model);
  if (parts === undefined && output === undefined) return undefined;
  const part = parts?.find((one) => one.name === output);
  if (part !== undefined) return part;
  const names = parts?.map((one) => one.name).join(', ');
  throw new UserError(
    names === undefined
      ? `the metric ${name} names the output ${output}, but the model has only one; leave it out`
      : `the metric ${name} needs the name of an output and of its target; the outputs are ${names}`,
  );
}

/** Checks that metrics fit a network and its data. @throws UserError when one does not */
export function checkMetrics(plan: Plan, dataset: Dataset, metrics: readonly Metric[]): void {
  if (metrics.length > 0) bind(plan, createPlan(withProbabilities(plan.model)), dataset, metrics);
}

/** Metrics of a data set beyond those that the loss counts. They need the outputs: a second forward pass. */
export class EvaluationMetrics {
  private readonly pass: OutputPass;
  private readonly bound: readonly BoundMetric[];

  /** @param runMemory the weights, and the data in memory; @param dataset the same data */
  constructor(
    threadPool: ThreadPool,
    runMemory: RunMemory,
    private readonly dataset: Dataset,
    metrics: readonly Metric[],
  ) {
    const plan = createPlan(withProbabilities(runMemory.plan.model));
    this.pass = new OutputPass(threadPool, runMemory, plan);
    this.bound = bind(runMemory.plan, plan, dataset, metrics);
  }

  /** The metrics with the weights as they are. @param means of the loss and of what it counts, over the same samples */
  async measure(means: Numbers): Promise<Numbers> {
    const running = this.bound.map(({ metric, target, input, part }) => ({
      ...{ name: metric.name, target, part, accumulator: metric.start(input) },
    }));
    const fields = new Set(running.map(({ target }) => target));
    await this.pass.run((outputs, from, rows) => {
      const targets = new Map<string | undefined, Float32Array>();
      for (const field of fields)
        targets.set(
          field,
          field === undefined
            ? new Float32Array()
            : fieldValues(this.dataset, field, { from, to: from + rows }),
        );
      for (const { target, part, accumulator } of running)
        accumulator.add({
          ...{ rows, targets: targets.get(target) as Float32Array },
          outputs: part === undefined ? outputs : columnsOf(outputs, rows, part),
        });
    });
    return Object.fromEntries(running.map(({ name, accumulator }) => [name, accumulator.result(means)]));
  }
}
