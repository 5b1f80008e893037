/* What a receipt has, and what it says. No module of Node: a page reads receipts too. */
import * as v from 'valibot';
import { UserError } from '../../shared/errors.js';
import { jsonText } from '../../shared/files/json.js';
import { number, origin, sha256 } from '../replay/record-lines.js';
import { type Leg, RecordedRun } from '../replay/recorded-run.js';

export const RECEIPT_FORMAT = 'unisum-receipt/1';
/** Most states whose hashes a receipt has: the first, the last, and others evenly spaced. */
export const STATES_MAX = 256;
/** Steps of a run whose receipt is read: room is made for so many at most. */
const STEPS_MAX = 2 ** 32 - 2;
/** Most bytes of its file. */
export const RECEIPT_BYTES_MAX = 16 * 2 ** 20;
/** Most names of members, and most members' events. */
export const MEMBERS_MAX = 1000;

const step = v.pipe(v.number(), v.safeInteger(), v.minValue(0), v.maxValue(STEPS_MAX));
const numbers = v.record(v.string(), number);
const saved = v.strictObject({ sha256, weightsSha256: sha256 });

const ReceiptSchema = v.strictObject({
  format: v.literal(RECEIPT_FORMAT),
  /** Parts of the run under the same settings, in order. */
  sessions: v.pipe(
    v.array(
      v.strictObject({
        /** Steps done before it. */
        from: step,
        /** The state that it goes on from; null: the first weights. */
        state: v.nullable(saved),
        ...origin,
      }),
    ),
    v.minLength(1),
    v.maxLength(10_000),
  ),
  /** Hashes of states on the way, ascending. */
  states: v.pipe(v.array(v.strictObject({ step, sha256, weightsSha256: sha256 })), v.maxLength(STATES_MAX)),
  evaluations: v.array(v.strictObject({ step, metrics: numbers })),
  end: v.strictObject({
    step,
    reason: v.picklist(['finished', 'stopped', 'interrupted', 'diverged']),
    divergence: v.exactOptional(v.picklist(['step', 'evaluation'])),
    /** Of the final weights; null: they are not finite. */
    weightsSha256: v.nullable(sha256),
    /** The step whose weights the run ended with, where it put its best in place. */
    restored: v.exactOptional(step),
    /** What the recipe measured in the end. */
    measured: v.exactOptional(numbers),
  }),
  /** What the run says of itself, and no computation confirms. */
  told: v.strictObject({
    /** Hash of the last line of metrics.jsonl, which stands for all of them. */
    recordSha256: sha256,
    started: v.string(),
    /** Fraction of the work over links that was computed twice. */
    audit: v.nullable(v.number()),
    /** Most members at work in a step. */
    workersMax: step,
    /** Names in lines about members. */
    members: v.pipe(v.array(v.string()), v.maxLength(MEMBERS_MAX)),
    /** Lines about members, by their event. */
    events: v.record(v.string(), step),
    /** Steps that were taken back, by a rollback or a resume. */
    takenBack: step,
  }),
});

export type Receipt = v.InferOutput<typeof ReceiptSchema>;

/**
 * Reads a receipt.
 * @param name of its file, for errors
 * @throws UserError when a text is no receipt
 */
export function parseReceipt(text: string, name: string): Receipt {
  const result = v.safeParse(v.pipe(jsonText, ReceiptSchema), text);
  if (result.success) return result.output;
  throw new UserError(`${name} is no receipt of this version of unisum; name one, or a run directory`, 2);
}

/**
 * What a receipt says, as a record without the metrics of steps.
 * @throws UserError when it contradicts itself
 */
export function recordedIn({ sessions, states, evaluations, end }: Receipt): RecordedRun {
  const recorded = new RecordedRun();
  const fail = (what: string): never => {
    throw new UserError(`the receipt contradicts itself: ${what}`);
  };
  recorded.hasStepMetrics = false;
  recorded.steps.length = end.step + 1;
  for (const [i, session] of sessions.entries()) {
    const before = sessions[i - 1];
    if (before === undefined ? session.from !== 0 || session.state !== null : session.from < before.from)
      fail(`session ${i + 1} begins at step ${session.from}`);
    if (before !== undefined && (session.state === null || session.from > end.step))
      fail(`session ${i + 1} goes on from no state of the run`);
    if (before !== undefined && session.recipe !== before.recipe) fail('its sessions have several recipes');
    recorded.legs.push({ ...session, line: 0 });
  }
  const legBefore = (at: number): Leg =>
    recorded.legs.findLast(({ from }) => from < at) ?? (recorded.legs[0] as Leg);
  const add = (at: number, value: { sha256: string; weightsSha256: string }): void => {
    if (at > end.step) fail(`it has a state of step ${at}, behind its end`);
    recorded.saved.set(at, [...(recorded.saved.get(at) ?? []), { value, line: 0, leg: legBefore(at) }]);
  };
  for (const [i, { step: at, ...state }] of states.entries()) {
    if (i > 0 && at <= (states[i - 1]?.step ?? 0)) fail('its states are not in order');
    add(at, state);
  }
  for (const { from, state } of recorded.legs) if (state !== null) add(from, state);
  for (const { step: at, metrics } of evaluations) {
    if (at > end.step || recorded.evaluations.has(at))
      fail(`it has no place for the evaluation of step ${at}`);
    recorded.evaluations.set(at, { value: metrics, line: 0 });
  }
  if ((end.reason === 'diverged') !== (end.divergence !== undefined))
    fail('it does not say what was not finite');
  const isOver = end.reason === 'finished' || end.reason === 'stopped';
  if (!isOver && (end.restored !== undefined || end.measured !== undefined))
    fail(`it ends a run as ${end.reason} that was measured, or whose best weights were restored`);
  if (end.restored !== undefined && !recorded.evaluations.has(end.restored))
    fail(`it restores the weights of step ${end.restored}, which was not evaluated`);
  const { restored, measured, ...line } = end;
  recorded.end = { event: 'ended', ...line, restored, measured };
  return recorded;
}
