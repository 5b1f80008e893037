/*
 * The kinds of lines in metrics.jsonl. A session of a run begins with `begun` or `resumed`, which name all that decides
 * its numbers; then come the steps (no `event`, an `epoch`), each evaluation behind its step (no `event`), and events;
 * `ended` is the last line of a session that was not killed.
 */
import * as v from 'valibot';
import type { RunEvent } from '../../coordinator/state/observer.js';
import type { MetricsRecord } from '../../coordinator/storage/record-text.js';
import { STEP_MAX } from '../../shared/protocol/limits.js';

export const RECORD_FORMAT = 'unisum-record/1';

const step = v.pipe(v.number(), v.safeInteger(), v.minValue(0), v.maxValue(STEP_MAX));
/** Lower-case hexadecimal. */
export const sha256 = v.pipe(v.string(), v.regex(/^[0-9a-f]{64}$/));
/** JSON has no NaN or infinity. */
export const number = v.union([v.number(), v.picklist(['NaN', 'Infinity', '-Infinity'])]);
const words = v.record(v.string(), v.union([v.string(), v.boolean()]));

/** What decides the numbers of a session. */
export const origin = {
  recipe: v.string(),
  /** The words of the command line. */
  options: words,
  /** All settings that reach the weights; the network and the training data by their hashes. */
  settings: v.record(v.string(), v.unknown()),
  /** Hash of the manifest of the test data; null when there is none. */
  testData: v.nullable(sha256),
  /** The same of the validation data, where there are any: evaluations then use these. */
  validationData: v.exactOptional(sha256),
  /** Names of the metrics of evaluations that the loss does not count, where there are any. */
  evaluationMetrics: v.exactOptional(v.array(v.string())),
  /** Hash of the weights that the session was told to begin with; null where it draws them or goes on. */
  weights: v.nullable(sha256),
  /** The program: its version, and a hash over what each of its kernels gives in the self-test. */
  code: v.strictObject({ version: v.pipe(v.string(), v.regex(/^[\w.+-]{1,64}$/)), kernels: sha256 }),
};

const BegunSchema = v.strictObject({
  event: v.literal('begun'),
  step: v.literal(0),
  format: v.literal(RECORD_FORMAT),
  ...origin,
});
const ResumedSchema = v.strictObject({
  event: v.literal('resumed'),
  step,
  /** The state that the session goes on from; null: there was none, and the run begins anew. */
  state: v.nullable(v.strictObject({ sha256, weightsSha256: sha256 })),
  ...origin,
});
const StepSchema = v.objectWithRest({ step, epoch: step, workers: step }, number);
const EvaluationSchema = v.objectWithRest({ step }, number);
const CheckpointSchema = v.strictObject({
  event: v.literal('checkpoint'),
  step,
  weightsSha256: sha256,
  sha256,
});
const RolledBackSchema = v.strictObject({
  event: v.literal('rolled-back'),
  step,
  to: step,
  member: v.string(),
  since: step,
});
const RestoredSchema = v.strictObject({
  event: v.literal('restored'),
  step,
  to: step,
  weightsSha256: sha256,
});
const MeasuredSchema = v.strictObject({
  event: v.literal('measured'),
  step,
  metrics: v.record(v.string(), number),
});
const EndedSchema = v.strictObject({
  event: v.literal('ended'),
  step,
  reason: v.picklist(['finished', 'stopped', 'interrupted', 'diverged']),
  /** What was not finite, in a run that has diverged. */
  divergence: v.exactOptional(v.picklist(['step', 'evaluation'])),
  /** An operator has stopped the run: nobody is to go on with it unasked. */
  byOperator: v.exactOptional(v.literal(true)),
  /** Of weights.safetensors; null: they are not finite, and were not saved. */
  weightsSha256: v.nullable(sha256),
});
/** Which lines tell of members of the run: no computation can confirm them. */
const MemberEventSchema = v.looseObject({
  event: v.picklist(['assignment', 'placement', 'layout', 'member-placement', 'hedge', 'expelled', 'banned']),
  step,
});

const SCHEMAS = {
  begun: BegunSchema,
  resumed: ResumedSchema,
  checkpoint: CheckpointSchema,
  'rolled-back': RolledBackSchema,
  restored: RestoredSchema,
  measured: MeasuredSchema,
  ended: EndedSchema,
  assignment: MemberEventSchema,
  placement: MemberEventSchema,
  layout: MemberEventSchema,
  'member-placement': MemberEventSchema,
  hedge: MemberEventSchema,
  expelled: MemberEventSchema,
  banned: MemberEventSchema,
} satisfies Readonly<Record<RunEvent['event'], v.GenericSchema>> & Readonly<Record<string, v.GenericSchema>>;

export type BegunLine = v.InferOutput<typeof BegunSchema>;
export type ResumedLine = v.InferOutput<typeof ResumedSchema>;
export type EndedLine = v.InferOutput<typeof EndedSchema>;
export type StepLine = v.InferOutput<typeof StepSchema>;
/** What decides the numbers of a session. */
export type SessionOrigin = Omit<BegunLine, 'event' | 'step' | 'format'>;

/** A line of metrics.jsonl, as far as it says something that is known. */
export type RecordLine =
  | { readonly kind: 'step'; readonly line: StepLine }
  | { readonly kind: 'evaluation'; readonly line: v.InferOutput<typeof EvaluationSchema> }
  | {
      [E in keyof typeof SCHEMAS]: { readonly kind: E; readonly line: v.InferOutput<(typeof SCHEMAS)[E]> };
    }[keyof typeof SCHEMAS];

/** @returns undefined when the line is not a line that a run writes */
export function parseRecordLine(record: MetricsRecord): RecordLine | undefined {
  const { event } = record;
  if (event === undefined) {
    const kind = 'epoch' in record ? 'step' : 'evaluation';
    const result = v.safeParse(kind === 'step' ? StepSchema : EvaluationSchema, record);
    return result.success ? ({ kind, line: result.output } as RecordLine) : undefined;
  }
  if (typeof event !== 'string' || !Object.hasOwn(SCHEMAS, event)) return undefined;
  const kind = event as keyof typeof SCHEMAS;
  const result = v.safeParse(SCHEMAS[kind], record);
  return result.success ? ({ kind, line: result.output } as RecordLine) : undefined;
}
