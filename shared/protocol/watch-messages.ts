/*
 * What a run says to those who only watch it. The right to watch is a token of its own, made from the one to work, which
 * cannot be made from it; it opens WATCH_PATH, where neither data nor weights are ever sent, nor work given or taken.
 *
 *     coordinator                                   watcher
 *       challenge (nonce)                    ->
 *                                            <-     watch (proof of the token)
 *       watching (its own proof)             ->     or: refuse
 *       progress, now and then               ->
 *       metrics of each evaluation           ->
 *       ended (the result), stop             ->
 *       ping -> <- pong at any time
 */
import * as v from 'valibot';
import { count, identifier, nonce, reason, sha256, step, version } from './fields.js';
import { NAME_CHARACTERS_MAX } from './limits.js';
import type { Challenge, Ping, Pong, Refuse, Stop } from './messages.js';
import { checked } from './parse.js';

/** The answer to a challenge. */
export interface Watch {
  readonly kind: 'watch';
  readonly version: number;
  readonly nonce: string;
  readonly proof: string;
}

/** The watcher is in. */
interface Watching {
  readonly kind: 'watching';
  /** The coordinator's own proof of the token. */
  readonly proof: string;
}

/** How far the run has come. */
export interface RunProgressNews {
  readonly kind: 'progress';
  /** Steps done, and steps of the whole run. */
  readonly step: number;
  readonly steps: number;
  readonly epoch: number;
  readonly epochs: number;
  /** Mean over the latest samples. */
  readonly loss: number;
  readonly samples: number;
  /** Members at work. */
  readonly workers: number;
}

/** What an evaluation has measured. */
interface MetricsNews {
  readonly kind: 'metrics';
  readonly step: number;
  /** Passes over the data until then. */
  readonly epoch: number;
  readonly metrics: Readonly<Record<string, number>>;
}

/** The run is over, and what it came to. */
export interface EndNews {
  readonly kind: 'ended';
  readonly ending: 'finished' | 'stopped' | 'interrupted';
  readonly steps: number;
  readonly samples: number;
  readonly seconds: number;
  readonly trainLoss: number;
  readonly metrics: Readonly<Record<string, number>>;
  readonly weightsSha256: string;
}

/** What watchers are told of a run. */
export type News = RunProgressNews | MetricsNews | EndNews;

export type CoordinatorToWatcher = Challenge | Watching | News | Refuse | Stop | Ping;
export type WatcherToCoordinator = Watch | Pong;

/** Most metrics of one evaluation. */
const METRICS_MAX = 64;

/** A loss may be anything, also no number. */
const figure = v.union([v.number(), v.nan()]);
const metrics = v.pipe(
  v.record(v.pipe(v.string(), v.regex(/^[\w .@/()-]+$/), v.maxLength(NAME_CHARACTERS_MAX)), figure),
  v.check((record) => Object.keys(record).length <= METRICS_MAX, 'has too many entries'),
);

const FromCoordinator: v.GenericSchema<unknown, CoordinatorToWatcher> = v.variant('kind', [
  v.strictObject({
    ...{ kind: v.literal('challenge'), version, nonce },
    run: identifier,
  }),
  v.strictObject({ kind: v.literal('watching'), proof: sha256 }),
  v.strictObject({
    ...{ kind: v.literal('progress'), step, steps: step, epoch: count, epochs: count },
    ...{ loss: figure, samples: count, workers: count },
  }),
  v.strictObject({ kind: v.literal('metrics'), step, epoch: figure, metrics }),
  v.strictObject({
    kind: v.literal('ended'),
    ending: v.picklist(['finished', 'stopped', 'interrupted']),
    ...{ steps: step, samples: count, seconds: figure, trainLoss: figure, metrics, weightsSha256: sha256 },
  }),
  v.strictObject({ kind: v.literal('refuse'), reason }),
  v.strictObject({ kind: v.literal('stop'), reason }),
  v.strictObject({ kind: v.literal('ping'), id: count }),
]);

const FromWatcher: v.GenericSchema<unknown, WatcherToCoordinator> = v.variant('kind', [
  v.strictObject({ kind: v.literal('watch'), version, nonce, proof: sha256 }),
  v.strictObject({ kind: v.literal('pong'), id: count }),
]);

/**
 * What a coordinator says to a watcher, out of what came over a wire.
 * @throws ProtocolError when it is no such message, or the coordinator speaks another version
 */
export function parseForWatcher(value: unknown): CoordinatorToWatcher {
  return checked(FromCoordinator, value);
}

/**
 * What a watcher says, out of what came over a wire.
 * @throws ProtocolError when it is no such message, or the watcher speaks another version
 */
export function parseWatcherMessage(value: unknown): WatcherToCoordinator {
  return checked(FromWatcher, value);
}
