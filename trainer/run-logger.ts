import type {
  MemberChange,
  MemberPlacement,
  Metrics,
  Observer,
  RunEvent,
  StepRecord,
} from '../coordinator/state/observer.js';
import type { MetricsRecord } from '../coordinator/storage/record-text.js';
import type { RunDirectory } from '../coordinator/storage/run-directory.js';
import type { GradientStats } from '../shared/engine/passes/gradient-inspector.js';
import type { AnswersNews } from '../shared/protocol/example-news.js';
import type { RunReport } from '../shared/protocol/watch-messages.js';
import { type EvaluationSetName, namedMetrics } from './evaluation-set.js';
import type { EndedLine } from './replay/record-lines.js';
import type { RecordedRun } from './replay/recorded-run.js';
import { describeMetrics } from './result.js';
import type { TrainingEvent } from './training-events.js';
import { describeEvent, layersNews } from './watch-reports.js';

/** How long a run is. */
interface RunLength {
  /** Steps of the whole run. */
  readonly steps: number;
  /** Passes over the data after so many steps; a whole number exactly where one ends. */
  readonly epochsAfter: (steps: number) => number;
  /** The samples of its evaluations. */
  readonly evaluatedOn: EvaluationSetName;
}

/** How far a run has got. */
export interface ProgressState {
  /** Steps done, those before a resume included. */
  readonly step: number;
  /** Steps of the whole run. */
  readonly steps: number;
  /** The epoch of the latest step, from 1. */
  readonly epoch: number;
  readonly epochs: number;
  /** Running mean of the loss; undefined before the first step. */
  readonly loss: number | undefined;
  /** Samples done so far. */
  readonly samples: number;
  /** Workers that take part now. */
  readonly workers: number;
}

/** Displays progress: a bar on a terminal, a plain line every few seconds elsewhere. */
export interface Progress {
  /** Takes the newest state, and displays it when the last display is old enough. Cheap enough for every step. */
  update(state: ProgressState): void;
  /** Steps are trained from now on, after so many samples and steps: the throughput counts anew. */
  begin(done: Pick<ProgressState, 'samples' | 'step'>): void;
  /** No step was trained for so long: the time does not count for the throughput. */
  paused(ms: number): void;
  /** Prints a line for people, above the bar if there is one. */
  say(line: string): void;
  /** Displays the last state and releases the terminal. A second call does nothing; `say` still works. */
  stop(): void;
}

/** Members whose placement is kept for the result. */
const PLACEMENTS_MAX = 1000;
/** Weight of the newest step in the displayed loss: a running mean over about fifty steps. */
const DISPLAYED_LOSS_WEIGHT = 0.02;

/** Records a run: displays its progress, writes its metrics and collects what the result reports. */
export class RunLogger implements Observer {
  /** Samples computed. */
  samples = 0;
  /** Of these, samples computed before the run was resumed. */
  samplesBefore = 0;
  /** Time that evaluations of this session took. */
  evaluationSeconds = 0;
  /** Time in which this session waited for workers before a step, or was paused. */
  waitingSeconds = 0;
  /** Mean loss over the samples of the latest epoch, complete or not. */
  trainLoss = Number.NaN;
  /** Metrics of the latest evaluation, such as testAccuracy and testLoss. */
  metrics: Readonly<Record<string, number>> = {};
  /** The latest choice of remote members that are given work; undefined before the first change. */
  placement: { readonly helpers: readonly string[]; readonly reason: string } | undefined;
  layout: Omit<Extract<RunEvent, { event: 'layout' }>, 'event' | 'step'> | undefined;
  /** What each remote member was told last about its work, by its name. */
  readonly memberPlacements = new Map<string, MemberPlacement>();
  /** Gradient statistics of the inspected steps. */
  readonly gradientStats: GradientStats[] = [];
  /** Metrics of evaluations, by the steps done before. */
  private readonly evaluations = new Map<number, Metrics>();
  private displayedLoss: number | undefined;
  private epochLoss = 0;
  private epochSamples = 0;
  private isOver = false;

  private directory: RunDirectory | undefined;
  private publish: (report: RunReport) => void = () => {};
  /** Records from before `recordTo`: a worker may join as soon as the port is open. */
  private readonly pending: MetricsRecord[] = [];

  constructor(
    private readonly length: RunLength,
    private readonly progress: Progress,
    private readonly onEvent: (event: TrainingEvent) => void = () => {},
  ) {}

  /** Sets where metrics are written. Those that came before are written too. */
  recordTo(directory: RunDirectory): void {
    this.directory = directory;
    for (const record of this.pending.splice(0)) directory.record(record);
  }

  /** Sets who is told what the progress displays: the watch clients of the run. */
  publishTo(publish: (report: RunReport) => void): void {
    this.publish = publish;
  }

  /**
   * Restores the state of this logger from what a resumed run has recorded.
   * @param batchOf samples of a step, by its number from 1
   */
  restore({ steps, evaluations }: RecordedRun, batchOf: (step: number) => number): void {
    for (const [step, recorded] of steps.entries())
      if (recorded !== undefined) this.count(step, batchOf(step), Number(recorded.value.means.loss));
    for (const [step, { value }] of evaluations) {
      // Numbers that are not finite are recorded as words.
      this.metrics = Object.fromEntries(Object.entries(value).map(([name, x]) => [name, Number(x)]));
      this.evaluations.set(step, this.metrics);
    }
    this.samplesBefore = this.samples;
  }

  waited(ms: number): void {
    this.waitingSeconds += ms / 1000;
  }

  begun(step: number): void {
    this.progress.begin({ samples: this.samples, step });
  }

  /** Writes pending metrics and fsyncs them. */
  async sync(): Promise<void> {
    await this.directory?.sync();
  }

  /** Writes pending metrics and closes the file. */
  close(): void {
    this.directory?.close();
  }

  stepped({ step, batch, means, members }: StepRecord): void {
    const { steps, epochsAfter } = this.length;
    const loss = means.loss as number;
    const epoch = Math.ceil(epochsAfter(step));
    this.count(step, batch, loss);
    this.displayedLoss =
      this.displayedLoss === undefined
        ? loss
        : this.displayedLoss + DISPLAYED_LOSS_WEIGHT * (loss - this.displayedLoss);
    this.record({ step, epoch, ...means, workers: members });
    const epochs = Math.ceil(epochsAfter(steps));
    const state = {
      step,
      steps,
      epoch,
      epochs,
      loss: this.displayedLoss,
      samples: this.samples,
      workers: members,
    };
    this.progress.update(state);
    this.publish({ kind: 'progress', ...state });
    this.onEvent({ kind: 'step', step, steps, epoch, loss, samples: this.samples, workers: members });
    if (Math.floor(epochsAfter(step)) > Math.floor(epochsAfter(step - 1)))
      this.onEvent({ kind: 'epoch', step, epoch, trainLoss: this.trainLoss });
  }

  evaluated(step: number, means: Metrics, tookMs: number): void {
    this.evaluationSeconds += tookMs / 1000;
    this.progress.paused(tookMs);
    this.metrics = namedMetrics(this.length.evaluatedOn, means);
    this.evaluations.set(step, this.metrics);
    this.record({ step, ...this.metrics });
    this.directory?.flush();
    const epoch = this.length.epochsAfter(step);
    this.progress.say(describeEvaluation(epoch, this.metrics));
    this.publish({ kind: 'metrics', step, epoch, metrics: this.metrics });
    this.onEvent({ kind: 'evaluation', step, epoch, metrics: Object.freeze({ ...this.metrics }) });
  }

  /** What is measured once is being computed, which may take a minute. */
  measuring(what: string): void {
    this.progress.say(`computing ${what} on the test data`);
  }

  /** Adds what is measured once, at the end, to the metrics of the latest evaluation. */
  measured(step: number, metrics: Metrics): void {
    if (Object.keys(metrics).length === 0) return;
    this.metrics = { ...this.metrics, ...metrics };
    this.record({ event: 'measured', step, metrics });
    this.directory?.flush();
    this.progress.say(`measured: ${describeMetrics(metrics)}`);
  }

  answered(answers: AnswersNews): void {
    this.publish(answers);
  }

  inspected(stats: GradientStats): void {
    this.gradientStats.push(stats);
    this.publish(layersNews(stats));
  }

  reported(event: RunEvent): void {
    this.record({ ...event });
    if (event.event === 'checkpoint') this.onEvent({ kind: 'checkpoint', step: event.step });
    if (event.event === 'placement') this.placement = { helpers: event.helpers, reason: event.reason };
    if (event.event === 'layout') {
      const { relays, below, stepMs, presentMs, reason } = event;
      this.layout = { relays, below, stepMs, presentMs, reason };
    }
    if (event.event === 'member-placement') this.placed(event);
    const told = describeEvent(event);
    if (told !== undefined) this.publish({ kind: 'event', ...told });
    if (event.event === 'restored') this.metrics = this.evaluations.get(event.to) ?? this.metrics;
  }

  private placed({ member, state, reason }: MemberPlacement): void {
    const placement = { member, state, reason };
    // A crowd that joins under ever new names must not fill the memory.
    if (this.memberPlacements.size < PLACEMENTS_MAX || this.memberPlacements.has(member))
      this.memberPlacements.set(member, placement);
    this.publish({ kind: 'placement', ...placement });
  }

  /** Records the last line of a session. Nothing is recorded after it. */
  ended(end: Omit<EndedLine, 'event'>): void {
    this.record({ event: 'ended', ...end });
    this.isOver = true;
  }

  notice(text: string, worker?: MemberChange): void {
    this.progress.say(text);
    this.publish({ kind: 'event', topic: worker?.change ?? 'note', text });
    if (worker !== undefined) this.onEvent({ kind: 'worker', ...worker });
  }

  private count(step: number, batch: number, loss: number): void {
    const { epochsAfter } = this.length;
    if (Math.ceil(epochsAfter(step)) > Math.ceil(epochsAfter(step - 1))) {
      this.epochLoss = 0;
      this.epochSamples = 0;
    }
    this.samples += batch;
    this.epochLoss += loss * batch;
    this.epochSamples += batch;
    this.trainLoss = this.epochLoss / this.epochSamples;
  }

  private record(metrics: MetricsRecord): void {
    if (this.isOver) return;
    if (this.directory === undefined) this.pending.push(metrics);
    else this.directory.record(metrics);
  }
}

/** An evaluation as one line for people. @param epoch passes over the data so far */
export function describeEvaluation(epoch: number, metrics: Metrics): string {
  return `epoch ${Number.isInteger(epoch) ? epoch : epoch.toFixed(2)}: ${describeMetrics(metrics)}`;
}
