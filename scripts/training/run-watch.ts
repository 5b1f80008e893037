import type { Metrics, Observer, RunEvent, StepRecord } from '../../coordinator/observer.js';
import type { MetricsRecord, RunDirectory } from '../../coordinator/run-directory.js';
import type { GradientFigures } from '../../shared/engine/gradient-watch.js';
import type { News } from '../../shared/protocol/watch-messages.js';
import type { Progress } from '../terminal/progress.js';
import { describeMetrics } from './result.js';

/** What a run is measured by. */
export interface RunMeasure {
  /** Steps of the whole run, and of one epoch. */
  readonly steps: number;
  readonly stepsPerEpoch: number;
}

/** Weight of the newest step in the loss that is shown: a running mean over about fifty steps. */
const SHOWN_LOSS_SHARE = 0.02;

/** Follows a run: shows its progress, writes its metrics, and remembers what the result will tell. */
export class RunWatch implements Observer {
  samples = 0;
  /** Of these, samples of an earlier session of the run. */
  samplesBefore = 0;
  /** Mean loss over the samples of the latest epoch, complete or not. */
  trainLoss = Number.NaN;
  /** Metrics of the latest evaluation, such as testAccuracy and testLoss. */
  metrics: Readonly<Record<string, number>> = {};
  /** What was seen of backprop. */
  readonly looks: GradientFigures[] = [];
  /** Metrics of evaluations, by the steps done before. */
  private readonly evaluations = new Map<number, Metrics>();
  private shownLoss: number | undefined;
  private epochLoss = 0;
  private epochSamples = 0;

  private directory: RunDirectory | undefined;
  private publish: (news: News) => void = () => {};
  /** What came before there was a directory: a node may join as soon as the port is open. */
  private readonly early: MetricsRecord[] = [];

  constructor(
    private readonly measure: RunMeasure,
    private readonly progress: Progress,
  ) {}

  /** Where metrics are written from now on; also those that came before. */
  recordTo(directory: RunDirectory): void {
    this.directory = directory;
    for (const record of this.early.splice(0)) directory.record(record);
  }

  /** Whom to tell what the progress shows. */
  publishTo(publish: (news: News) => void): void {
    this.publish = publish;
  }

  /**
   * Takes in what a run that goes on has written down, as if it had been watched.
   * @param batchOf samples of a step, by its number from 1
   */
  remember(records: readonly MetricsRecord[], batchOf: (step: number) => number): void {
    for (const { step, loss, epoch, workers, event, ...rest } of records) {
      if (typeof step !== 'number' || event !== undefined) continue;
      if (typeof loss === 'number') this.count(step, batchOf(step), loss);
      else if (epoch === undefined) {
        this.metrics = { ...this.metrics, ...numbersOf(rest) };
        this.evaluations.set(step, this.metrics);
      }
    }
    this.samplesBefore = this.samples;
  }

  /** Writes out what is held back, where no loss of power takes it away. */
  async sync(): Promise<void> {
    await this.directory?.sync();
  }

  /** Writes out what is held back, and lets go of the directory. */
  close(): void {
    this.directory?.close();
  }

  stepped({ step, batch, means, members }: StepRecord): void {
    const { steps, stepsPerEpoch } = this.measure;
    const loss = means.loss as number;
    const epoch = Math.ceil(step / stepsPerEpoch);
    this.count(step, batch, loss);
    this.shownLoss =
      this.shownLoss === undefined ? loss : this.shownLoss + SHOWN_LOSS_SHARE * (loss - this.shownLoss);
    this.record({ step, epoch, ...means, workers: members });
    const epochs = Math.ceil(steps / stepsPerEpoch);
    const state = {
      step,
      steps,
      epoch,
      epochs,
      loss: this.shownLoss,
      samples: this.samples,
      workers: members,
    };
    this.progress.update(state);
    this.publish({ kind: 'progress', ...state });
  }

  evaluated(step: number, means: Metrics): void {
    const { stepsPerEpoch } = this.measure;
    this.metrics = testMetrics(means);
    this.evaluations.set(step, this.metrics);
    this.record({ step, ...this.metrics });
    this.directory?.flush();
    const epoch = step / stepsPerEpoch;
    this.progress.say(describeEvaluation(epoch, this.metrics));
    this.publish({ kind: 'metrics', step, epoch, metrics: this.metrics });
  }

  /** Behind the last step the recipe measures by predictions, which may take a minute. */
  measuring(): void {
    this.progress.say('measuring on held-out data');
  }

  /** What the recipe has measured behind the last step, beside the metrics of the latest evaluation. */
  measured(step: number, metrics: Metrics): void {
    if (Object.keys(metrics).length === 0) return;
    this.metrics = { ...this.metrics, ...metrics };
    this.record({ step, ...metrics });
    this.directory?.flush();
    this.progress.say(`measured: ${describeMetrics(metrics)}`);
  }

  watched(figures: GradientFigures): void {
    this.looks.push(figures);
  }

  reported(event: RunEvent): void {
    this.record({ ...event });
    if (event.event === 'restored') this.metrics = this.evaluations.get(event.to) ?? this.metrics;
  }

  notice(text: string): void {
    this.progress.say(text);
  }

  private count(step: number, batch: number, loss: number): void {
    if ((step - 1) % this.measure.stepsPerEpoch === 0) {
      this.epochLoss = 0;
      this.epochSamples = 0;
    }
    this.samples += batch;
    this.epochLoss += loss * batch;
    this.epochSamples += batch;
    this.trainLoss = this.epochLoss / this.epochSamples;
  }

  private record(metrics: MetricsRecord): void {
    if (this.directory === undefined) this.early.push(metrics);
    else this.directory.record(metrics);
  }
}

/** An evaluation in one line for people. @param epoch passes over the data until then */
export function describeEvaluation(epoch: number, metrics: Metrics): string {
  return `epoch ${Number.isInteger(epoch) ? epoch : epoch.toFixed(2)}: ${describeMetrics(metrics)}`;
}

function numbersOf(record: MetricsRecord): Record<string, number> {
  return Object.fromEntries(
    Object.entries(record).filter((entry): entry is [string, number] => typeof entry[1] === 'number'),
  );
}

/** Means over the test data by the names that results give them: accuracy -> testAccuracy. */
export function testMetrics(means: Metrics): Metrics {
  return Object.fromEntries(Object.entries(means).map(([name, value]) => [testName(name), value]));
}

function testName(metric: string): string {
  return `test${metric.slice(0, 1).toUpperCase()}${metric.slice(1)}`;
}
