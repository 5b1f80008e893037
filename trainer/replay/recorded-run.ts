import type { SavedCheckpoint } from '../../coordinator/storage/checkpoint.js';
import { type MetricsRecord, recordText } from '../../coordinator/storage/record-text.js';
import { UserError } from '../../shared/errors.js';
import {
  type EndedLine,
  parseRecordLine,
  type RecordLine,
  type ResumedLine,
  type SessionOrigin,
} from './record-lines.js';

/** Steps before the first line of a record that was lost: room is made for so many at most. */
const STEPS_MAX = 2 ** 32 - 1;

type Numbers = Readonly<Record<string, number | string>>;

/** Part of a run under the same settings: one session, or several of which each went on as the one before would have. */
export interface Leg extends Omit<SessionOrigin, 'options'> {
  /** Of its latest session: those that do not reach the weights may differ from those of others. */
  options: SessionOrigin['options'];
  /** Steps done before it. */
  readonly from: number;
  /** The state that it goes on from; null: the run's first weights. */
  readonly state: ResumedLine['state'];
  readonly line: number;
}

/** What a line says, and which it is. */
export interface Recorded<T> {
  readonly value: T;
  readonly line: number;
}

/** A state that was saved. */
export interface SavedState {
  readonly sha256: string;
  readonly weightsSha256: string;
}

/** The recorded hash of the weights after some steps. */
export interface WeightsClaim {
  readonly step: number;
  readonly weightsSha256: string;
}

/** How the latest session ended. */
export interface RecordedEnd extends EndedLine {
  /** The step whose weights the run ended with, where it put its best in place. */
  readonly restored: number | undefined;
  /** What the recipe measured with the final weights. */
  readonly measured: Numbers | undefined;
}

/** Where something is said: a line of the record; 0: a receipt, which has no lines. */
export function placeOf(line: number): string {
  return line === 0 ? 'the receipt' : `line ${line} of metrics.jsonl`;
}

/** A record that contradicts itself, or says what no run does. */
export class RecordError extends UserError {
  constructor(
    line: number,
    /** Without the line's number: "is step 5, and step 4 comes here". */
    readonly what: string,
  ) {
    super(`${placeOf(line)} ${what}`);
  }
}

/**
 * What a run has recorded of itself. The lines are taken one by one, in order; each is held to what may come there.
 * What was taken back, by a rollback or because a session went on from an earlier state, is no part of the run.
 */
export class RecordedRun {
  /** The parts of the run, in order; never empty once a line was taken. */
  readonly legs: Leg[] = [];
  /** Metrics of each step, by its number from 1; index 0 is empty. */
  readonly steps: (Recorded<{ epoch: number; means: Numbers }> | undefined)[] = [undefined];
  /** Whether the metrics of each step are there; a receipt has none of them. */
  hasStepMetrics = true;
  /** Evaluations by the steps done before. */
  readonly evaluations = new Map<number, Recorded<Numbers>>();
  /** Saved states by the steps done before, each with the leg that saved it. */
  readonly saved = new Map<number, (Recorded<SavedState> & { readonly leg: Leg })[]>();
  /** What else was said of weights. */
  claims: WeightsClaim[] = [];
  /** Undefined while a session has not ended. */
  end: RecordedEnd | undefined;
  /** Steps that were recorded and then taken back. */
  takenBack = 0;
  /** Lines about members, by their event. */
  readonly memberEvents = new Map<string, number>();
  private restored: number | undefined;
  private measured: Numbers | undefined;
  /** Steps done when the latest session began. */
  private sessionFrom = 0;
  /** A save that was under way when the run went back may end after it. */
  private isBack = false;

  /** Steps that are part of the run. */
  get lastStep(): number {
    return this.steps.length - 1;
  }

  /** The part of the run that a line belongs to. */
  get leg(): Leg {
    return this.legs.at(-1) as Leg;
  }

  /**
   * Whether a checkpoint is of this run, as far as it is recorded. The line of the newest may be lost; then its settings must be
   * those in use at its step. Of a record whose end was lost, later sessions may have saved under other settings.
   */
  hasSaved({ progress: { step }, settings, sha256 }: SavedCheckpoint): boolean {
    const saved = this.saved.get(step) ?? [];
    if (saved.some(({ value }) => value.sha256 === sha256)) return true;
    const leg = this.legs.findLast(({ from }) => from <= step);
    if (leg === undefined || saved.some((other) => other.leg === leg)) return false;
    return recordText(leg.settings) === recordText(settings);
  }

  /** @throws RecordError when the line cannot come here */
  take(record: MetricsRecord, number: number): void {
    const parsed = parseRecordLine(record);
    if (parsed === undefined) throw new RecordError(number, 'is not a line that a run writes');
    const fail = (what: string): never => {
      throw new RecordError(number, what);
    };
    if (number === 1 && parsed.kind !== 'begun' && parsed.kind !== 'resumed')
      fail('does not name the recipe, settings, data and code of a run');
    if (number > 1 && parsed.kind === 'begun') fail('begins a second record');
    if (this.end !== undefined && parsed.kind !== 'resumed') fail('comes after the end of the run');
    // A finished run may go on with more steps, and one that was killed after the measurement is measured again.
    if (this.measured !== undefined && parsed.kind !== 'ended' && parsed.kind !== 'resumed')
      fail('comes after the final measurement');
    this.takeParsed(parsed, number, fail);
  }

  private takeParsed(parsed: RecordLine, number: number, fail: (what: string) => never): void {
    const { lastStep } = this;
    switch (parsed.kind) {
      case 'begun': {
        const { event: _, step: from, format: __, ...origin } = parsed.line;
        this.legs.push({ ...origin, from, state: null, line: number });
        return;
      }
      case 'resumed':
        return this.resume(parsed.line, number, fail);
      case 'step': {
        const { step, epoch, workers: _, ...means } = parsed.line;
        if (step !== lastStep + 1) fail(`is step ${step}; step ${lastStep + 1} was expected`);
        this.isBack = false;
        this.steps.push({ value: { epoch, means }, line: number });
        return;
      }
      case 'evaluation': {
        const { step, ...means } = parsed.line;
        if (step !== lastStep) fail(`evaluates step ${step}, but the latest step is ${lastStep}`);
        if (this.evaluations.has(step)) fail(`evaluates step ${step} a second time`);
        this.evaluations.set(step, { value: means, line: number });
        return;
      }
      case 'checkpoint': {
        const { step, weightsSha256, sha256 } = parsed.line;
        if (step > lastStep && this.isBack) return;
        if (step > lastStep) fail(`is a checkpoint of step ${step}, but the latest step is ${lastStep}`);
        if (step < this.sessionFrom) fail(`is a checkpoint of step ${step}, before its session began`);
        const others = this.saved.get(step) ?? [];
        this.saved.set(step, [...others, { value: { weightsSha256, sha256 }, line: number, leg: this.leg }]);
        return;
      }
      case 'rolled-back': {
        const { to } = parsed.line;
        if (to > lastStep) fail(`rolls back to step ${to}, but the latest step is ${lastStep}`);
        // Of the sessions before, those that computed the same way.
        if (to < this.leg.from) fail(`rolls back to step ${to}, before its settings were in use`);
        this.undo(to);
        this.sessionFrom = Math.min(this.sessionFrom, to);
        this.isBack = true;
        return;
      }
      case 'restored': {
        const { step, to, weightsSha256 } = parsed.line;
        if (step !== lastStep || this.restored !== undefined)
          fail('restores weights before the end of the run');
        // Of a record that was lost, the best evaluation may be lost too.
        const [first] = this.legs;
        const isLost = first !== undefined && first.state !== null && to <= first.from;
        if (!this.evaluations.has(to) && !isLost)
          fail(`restores the weights of step ${to}, which was not evaluated`);
        this.restored = to;
        // With an average, these are not the weights of a step.
        if (!keepsAverage(this.leg)) this.claims.push({ step: to, weightsSha256 });
        return;
      }
      case 'measured': {
        const { step, metrics } = parsed.line;
        if (step !== lastStep) fail(`measures step ${step}, but the latest step is ${lastStep}`);
        this.measured = metrics;
        return;
      }
      case 'ended':
        return this.finish(parsed.line, fail);
      default:
        this.memberEvents.set(parsed.kind, (this.memberEvents.get(parsed.kind) ?? 0) + 1);
    }
  }

  private resume(line: ResumedLine, number: number, fail: (what: string) => never): void {
    const { event: _, step: from, state, ...origin } = line;
    // A record that was lost begins with the state that the run went on from.
    if (number === 1 && from >= STEPS_MAX) fail(`resumes from step ${from}, which is too far`);
    if (number === 1) this.steps.length = from + 1;
    const { lastStep } = this;
    if (from > lastStep) fail(`resumes from step ${from}, but the latest step is ${lastStep}`);
    if (state === null && from !== 0) fail(`resumes from step ${from} without a state`);
    if (number > 1 && origin.recipe !== this.leg.recipe)
      fail(`resumes with another recipe, ${origin.recipe}`);
    this.undo(from);
    if (state === null) {
      // The run starts again, perhaps under other settings: nothing of what was saved before belongs to it.
      this.legs.length = 0;
      this.saved.clear();
      this.claims = [];
    }
    // A part of which nothing is left is no part; the first has the state of step 0, which others may begin with.
    while (this.legs.length > 1 && this.leg.from >= from) this.legs.pop();
    const last = this.legs.at(-1);
    if (last === undefined || !isSameOrigin(last, origin))
      this.legs.push({ ...origin, from, state, line: number });
    else last.options = origin.options;
    if (state !== null)
      this.saved.set(from, [
        ...(this.saved.get(from) ?? []),
        { value: state, line: number, leg: last ?? this.leg },
      ]);
    this.sessionFrom = from;
    this.isBack = false;
    this.end = undefined;
    this.restored = undefined;
    this.measured = undefined;
  }

  private finish(line: EndedLine, fail: (what: string) => never): void {
    const { step, reason, divergence, weightsSha256 } = line;
    if (step !== this.lastStep) fail(`ends the run at step ${step}, but the latest step is ${this.lastStep}`);
    if ((reason === 'diverged') !== (divergence !== undefined)) fail('does not say what was not finite');
    const isOver = reason === 'finished' || reason === 'stopped';
    if (!isOver && (this.restored !== undefined || this.measured !== undefined))
      fail(`ends a run as ${reason} that was measured, or whose best weights were restored`);
    this.end = { ...line, restored: this.restored, measured: this.measured };
    if (weightsSha256 !== null && !(isOver && keepsAverage(this.leg)))
      this.claims.push({ step: this.restored ?? step, weightsSha256 });
  }

  /** Takes back whatever came after a step. */
  private undo(to: number): void {
    this.takenBack += Math.max(0, this.lastStep - to);
    this.steps.length = Math.min(this.steps.length, to + 1);
    for (const map of [this.evaluations, this.saved])
      for (const step of [...map.keys()]) if (step > to) map.delete(step);
    this.claims = this.claims.filter(({ step }) => step <= to);
    this.restored = undefined;
  }
}

/** Whether the run ends with an average of its weights. */
export function keepsAverage({ settings: { optimizer } }: Leg): boolean {
  return typeof optimizer === 'object' && optimizer !== null && 'ema' in optimizer;
}

/** Whether a session has the numbers that the one before would have had. */
function isSameOrigin(a: SessionOrigin, b: SessionOrigin): boolean {
  return (
    recordText(a.settings) === recordText(b.settings) &&
    a.testData === b.testData &&
    a.validationData === b.validationData &&
    JSON.stringify(a.evaluationMetrics) === JSON.stringify(b.evaluationMetrics)
  );
}
