/*
 * The messages between a coordinator and a watcher. The token for watching is derived from the token for joining, and not
 * the other way round. Watchers connect to WATCH_PATH, where no data, no weights and no work are ever sent or accepted.
 * An operator is a watcher with the token for operating the run: it may also say what becomes of the run.
 *
 *     coordinator                                   watcher
 *       challenge (nonce)                    ->
 *                                            <-     watch (proof of the token)
 *       watching (its own proof, the right)  ->     or: refuse
 *       history                              ->
 *       progress, repeatedly                 ->
 *       metrics of each evaluation, events   ->
 *       placement of a worker, if it changes ->
 *       state of the run, if it changes      ->
 *       ended (the result), stop             ->
 *                                            <-     control: pause, resume, ... from operators only
 *       controlled: what became of it        ->
 *       ping -> <- pong at any time
 */
import * as v from 'valibot';
import { checked } from './checked.js';
import { type AnswersNews, ExamplesSchema, TextSchema } from './example-news.js';
import { count, identifier, name, nonce, reason, sha256, step, version } from './fields.js';
import { type LayersNews, LayersSchema } from './layer-news.js';
import { NAME_CHARACTERS_MAX } from './limits.js';
import { type MembersNews, MembersSchema } from './member-news.js';
import type { Challenge, Ping, Pong, Refuse, Stop } from './messages.js';

/** The answer to a challenge. */
export interface Watch {
  readonly kind: 'watch';
  readonly version: number;
  readonly nonce: string;
  readonly proof: string;
}

/** What a link of the run permits those who watch it. */
export type WatchRight = 'watch' | 'operate';

/** What an operator can do to a run. `close` keeps out machines that have not been members before. */
export const CONTROL_ACTIONS = [
  ...['pause', 'resume', 'save', 'stop', 'close', 'open'],
  ...['remove', 'ban'],
] as const;
export type ControlAction = (typeof CONTROL_ACTIONS)[number];

/** What an operator asks for. */
export interface ControlRequest {
  readonly action: ControlAction;
  /** A member by its id or name, or by the key of its machine; with `remove` and `ban`, and no other action. */
  readonly member?: string;
}

/** An operator asks for something. */
export interface Control extends ControlRequest {
  readonly kind: 'control';
  /** Comes back in the answer. */
  readonly id: number;
}

/** What became of what an operator asked for. */
export interface Controlled {
  readonly kind: 'controlled';
  readonly id: number;
  readonly isDone: boolean;
  /** What was done, or why it was not. */
  readonly text: string;
}

/** The watcher is admitted. */
interface Watching {
  readonly kind: 'watching';
  readonly right: WatchRight;
  /** The coordinator's proof of the token. */
  readonly proof: string;
}

/** The progress of the run, as the run reports it. */
export interface RunProgress {
  readonly kind: 'progress';
  /** Steps done. */
  readonly step: number;
  /** Steps of the whole run. */
  readonly steps: number;
  readonly epoch: number;
  readonly epochs: number;
  /** Mean over the latest samples. */
  readonly loss: number;
  readonly samples: number;
  /** Members at work. */
  readonly workers: number;
}

/** When something happened: seconds since the run was started or resumed. */
interface Timed {
  readonly seconds: number;
}

/** The progress of the run. */
export interface RunProgressNews extends RunProgress, Timed {}

/** What an event is about. */
const EVENT_TOPICS = [
  ...['joined', 'left', 'expelled', 'hedged', 'checkpoint'],
  ...['went-back', 'note'],
] as const;
export type EventTopic = (typeof EVENT_TOPICS)[number];

/** Something that happened, in plain words. */
export interface RunEventText {
  readonly kind: 'event';
  readonly topic: EventTopic;
  readonly text: string;
}

/** Something that happened. */
export interface EventNews extends RunEventText, Timed {}

/** A point of the run's course. */
export interface CoursePoint extends Timed {
  readonly step: number;
  readonly loss: number;
  readonly samples: number;
}

/** What happened before a watcher came: the course of the run and its evaluations, thinned out, and the latest events. */
export interface HistoryNews {
  readonly kind: 'history';
  readonly course: readonly CoursePoint[];
  readonly evaluations: readonly Evaluation[];
  readonly events: readonly Omit<EventNews, 'kind'>[];
}

/** The results of an evaluation. */
export interface Evaluation {
  readonly step: number;
  /** Passes over the data before it. */
  readonly epoch: number;
  readonly metrics: Readonly<Record<string, number>>;
}

interface MetricsNews extends Evaluation {
  readonly kind: 'metrics';
}

/** A worker is given work from now on, or is on standby; and why. */
export interface PlacementNews {
  readonly kind: 'placement';
  readonly member: string;
  readonly state: 'active' | 'standby';
  readonly reason: string;
}

/** What operators have decided. */
export interface StateNews {
  readonly kind: 'state';
  /** No step begins. */
  readonly isPaused: boolean;
  /** Machines that have not been members before are refused. */
  readonly isClosed: boolean;
}

/** The run has ended, with its result. */
export interface EndNews {
  readonly kind: 'ended';
  readonly exitReason: 'finished' | 'stopped' | 'interrupted';
  readonly steps: number;
  readonly samples: number;
  readonly seconds: number;
  readonly trainLoss: number;
  readonly metrics: Readonly<Record<string, number>>;
  readonly weightsSha256: string;
}

/** What a run reports for its watchers. */
export type RunReport =
  | RunProgress
  | MetricsNews
  | EndNews
  | RunEventText
  | PlacementNews
  | StateNews
  | LayersNews
  | AnswersNews;

/** What watchers are told about a run. */
export type News =
  | RunProgressNews
  | MetricsNews
  | EndNews
  | EventNews
  | PlacementNews
  | StateNews
  | MembersNews
  | LayersNews
  | AnswersNews
  | HistoryNews;

export type CoordinatorToWatcher = Challenge | Watching | News | Controlled | Refuse | Stop | Ping;
export type WatcherToCoordinator = Watch | Control | Pong;

/** Whether an action is about one member. */
export function namesMember(action: ControlAction): boolean {
  return action === 'remove' || action === 'ban';
}

/** Most metrics of one evaluation. */
const METRICS_MAX = 64;
/** Most entries of each list in a history. */
export const HISTORY_MAX = 512;

/** A loss may be any number, and NaN. */
const measurement = v.union([v.number(), v.nan()]);
const metrics = v.pipe(
  v.record(v.pipe(v.string(), v.regex(/^[\w .@/()-]+$/), v.maxLength(NAME_CHARACTERS_MAX)), measurement),
  v.check((record) => Object.keys(record).length <= METRICS_MAX, 'has too many entries'),
);

const seconds = v.pipe(v.number(), v.minValue(0));
const evaluation = { step, epoch: measurement, metrics };
const event = { seconds, topic: v.picklist(EVENT_TOPICS), text: reason };
const list = <T extends v.GenericSchema>(entry: T) => v.pipe(v.array(entry), v.maxLength(HISTORY_MAX));

const FromCoordinator: v.GenericSchema<unknown, CoordinatorToWatcher> = v.variant('kind', [
  v.strictObject({
    ...{ kind: v.literal('challenge'), version, nonce },
    run: identifier,
  }),
  v.strictObject({ kind: v.literal('watching'), proof: sha256, right: v.picklist(['watch', 'operate']) }),
  v.strictObject({
    ...{ kind: v.literal('progress'), step, steps: step, epoch: count, epochs: count },
    ...{ loss: measurement, samples: count, workers: count, seconds },
  }),
  v.strictObject({ kind: v.literal('metrics'), ...evaluation }),
  v.strictObject({ kind: v.literal('event'), ...event }),
  v.strictObject({
    kind: v.literal('history'),
    course: list(v.strictObject({ step, loss: measurement, samples: count, seconds })),
    evaluations: list(v.strictObject(evaluation)),
    events: list(v.strictObject(event)),
  }),
  v.strictObject({
    ...{ kind: v.literal('placement'), member: name, reason },
    state: v.picklist(['active', 'standby']),
  }),
  v.strictObject({ kind: v.literal('state'), isPaused: v.boolean(), isClosed: v.boolean() }),
  MembersSchema,
  LayersSchema,
  ExamplesSchema,
  TextSchema,
  v.strictObject({ kind: v.literal('controlled'), id: count, isDone: v.boolean(), text: reason }),
  v.strictObject({
    kind: v.literal('ended'),
    exitReason: v.picklist(['finished', 'stopped', 'interrupted']),
    ...{
      steps: step,
      samples: count,
      seconds: measurement,
      trainLoss: measurement,
      metrics,
      weightsSha256: sha256,
    },
  }),
  v.strictObject({ kind: v.literal('refuse'), reason }),
  v.strictObject({ kind: v.literal('stop'), reason, isUnfinished: v.exactOptional(v.literal(true)) }),
  v.strictObject({ kind: v.literal('ping'), id: count }),
]);

const FromWatcher: v.GenericSchema<unknown, WatcherToCoordinator> = v.variant('kind', [
  v.strictObject({ kind: v.literal('watch'), version, nonce, proof: sha256 }),
  v.pipe(
    v.strictObject({
      kind: v.literal('control'),
      id: count,
      action: v.picklist(CONTROL_ACTIONS),
      member: v.exactOptional(name),
    }),
    v.check(({ action, member }) => namesMember(action) === (member !== undefined), 'names no member'),
  ),
  v.strictObject({ kind: v.literal('pong'), id: count }),
]);

/**
 * Validates a message of a coordinator to a watcher.
 * @throws ProtocolError when it is malformed, or the coordinator has another protocol version
 */
export function parseForWatcher(value: unknown): CoordinatorToWatcher {
  return checked(FromCoordinator, value);
}

/**
 * Validates a message of a watcher.
 * @throws ProtocolError when it is malformed, or the watcher has another protocol version
 */
export function parseWatcherMessage(value: unknown): WatcherToCoordinator {
  return checked(FromWatcher, value);
}
