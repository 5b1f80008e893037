import type { Metrics, Observer, RunEvent, StepRecord } from '../../coordinator/state/observer.js';
import { recordText } from '../../coordinator/storage/record-text.js';
import { type EvaluationSetName, namedMetrics } from '../evaluation-set.js';
import type { Leg, RecordedRun, SavedState } from './recorded-run.js';

/** Where a run differs from what it has recorded. */
export interface Divergence {
  readonly step: number;
  readonly what: string;
}

/** Part of a leg that is replayed: the steps after `from`, up to `to`. */
export interface Span {
  readonly leg: Leg;
  readonly from: number;
  readonly to: number;
  /** Hashes that the state at `from` may have; undefined: the span starts from the initial weights. */
  readonly states: ReadonlySet<string> | undefined;
  /** Whether the run must end there by itself, as it is recorded to have done. */
  readonly endsRun: boolean;
}

/** Observes a span being replayed and compares every number and hash with the record, bit by bit. */
export class ReplayVerifier implements Observer {
  divergence: Divergence | undefined;
  checkedSteps = 0;
  checkedEvaluations = 0;
  checkedHashes = 0;
  /** Hash of the weights after the last step of the span, once it was saved. */
  lastWeights: string | undefined;
  /** Latest step whose weights agreed with the record; -1 before the first. */
  private agreedStep = -1;
  /** Called when nothing more is to be seen. */
  onEnough = (): void => {};
  /** Steps whose state has not been compared yet. */
  private readonly pending: Set<number>;
  private onCompared = (): void => {};

  constructor(
    private readonly recorded: RecordedRun,
    private readonly span: Span,
    private readonly evaluatedOn: EvaluationSetName,
  ) {
    const { saved, claims } = recorded;
    const { from, to } = span;
    const steps = [to, ...saved.keys(), ...claims.map(({ step }) => step)];
    // The state that the span goes on from was computed before; of the first weights there is none before.
    const first = span.leg.state === null && from === 0 ? 0 : from + 1;
    this.pending = new Set(steps.filter((step) => first <= step && step <= to));
  }

  /** Steps of the span whose state is to be compared, ascending; the last one always, unless there is no step. */
  get statesWanted(): number[] {
    return [...this.pending].sort((a, b) => a - b);
  }

  /** Resolves when the states of all steps but this one have been compared, which may take longer than the steps. */
  statesCompared(but?: number): Promise<void> {
    if (but !== undefined) this.pending.delete(but);
    return new Promise((resolve) => {
      this.onCompared = () => {
        if (this.pending.size === 0 || this.divergence !== undefined) resolve();
      };
      this.onCompared();
    });
  }

  stepped({ step, means }: StepRecord): void {
    if (this.divergence !== undefined) return;
    if (step > this.span.to) {
      if (this.span.endsRun)
        this.depart(step, 'the replay computes it, but the recorded run ended before it');
      return;
    }
    const recorded = this.recorded.steps[step]?.value.means ?? {};
    const wrong = this.recorded.hasStepMetrics ? differing(recorded, means) : undefined;
    if (wrong !== undefined) {
      const agreed = this.agreedStep < 0 ? '' : `; the weights after step ${this.agreedStep} were right`;
      return this.depart(step, `its ${wrong.join(' ')}${agreed}`);
    }
    this.checkedSteps += 1;
    if (step === this.span.to && !this.span.endsRun) this.onEnough();
  }

  reported(event: RunEvent): void {
    if (event.event !== 'checkpoint' || this.divergence !== undefined) return;
    const { step, weightsSha256, sha256 } = event;
    const { to, leg } = this.span;
    if (step > to) return;
    if (step === to) this.lastWeights = weightsSha256;
    const claims = this.recorded.claims.filter((claim) => claim.step === step);
    const saved = this.recorded.saved.get(step) ?? [];
    for (const said of [...claims, ...saved.map(({ value }) => value)])
      if (said.weightsSha256 !== weightsSha256)
        return this.depart(
          step,
          `the weights after it are ${weightsSha256}, and were recorded as ${said.weightsSha256}`,
        );
    // A state names the settings that it was saved under; for those of others, see savedByOthers.
    for (const { value, leg: savedBy } of saved)
      if (savedBy === leg && value.sha256 !== sha256)
        return this.depart(step, `the state after it is ${sha256}, and was recorded as ${value.sha256}`);
    this.checkedHashes += claims.length + saved.length;
    this.agreedStep = step;
    this.pending.delete(step);
    this.onCompared();
  }

  /**
   * States of a step that sessions under other settings have saved: they name other settings, and must be the computed state in
   * everything else.
   */
  savedByOthers(step: number): readonly (SavedState & { readonly settings: Leg['settings'] })[] {
    const saved = step > this.span.to ? [] : (this.recorded.saved.get(step) ?? []);
    return saved.flatMap(({ value, leg }) =>
      leg === this.span.leg ? [] : { ...value, settings: leg.settings },
    );
  }

  evaluated(step: number, means: Metrics): void {
    if (this.divergence !== undefined || step > this.span.to) return;
    const recorded = this.recorded.evaluations.get(step)?.value;
    if (recorded === undefined) return this.depart(step, 'its evaluation is not recorded');
    const wrong = differing(recorded, namedMetrics(this.evaluatedOn, means));
    if (wrong !== undefined) return this.depart(step, `the ${wrong[0]} after it ${wrong[1]}`);
    this.checkedEvaluations += 1;
  }

  inspected(): void {}

  notice(): void {}

  /** Notes what differs; the first difference counts. */
  depart(step: number, what: string): void {
    this.divergence ??= { step, what };
    this.onEnough();
    this.onCompared();
  }
}

/** The first name whose numbers differ, and how; undefined when there is none. */
export function differing(
  recorded: Readonly<Record<string, number | string>>,
  computed: Readonly<Record<string, number>>,
): readonly [name: string, difference: string] | undefined {
  const names = new Set([...Object.keys(computed), ...Object.keys(recorded)]);
  for (const name of names) {
    const [is, was] = [textOf(computed[name]), textOf(recorded[name])];
    if (is !== was) return [name, `is ${is}, and was recorded as ${was}`];
  }
  return undefined;
}

function textOf(value: number | string | undefined): string {
  if (value === undefined) return 'missing';
  return recordText({ value }).slice('{"value":'.length, -1);
}
