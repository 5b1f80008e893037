/*
 * The messages between a coordinator and a worker: one union per direction, distinguished by `kind`. A message that comes
 * over a network is validated by shared/protocol/parse.ts before it has one of these types.
 *
 *     coordinator                                   worker
 *       challenge (nonce)                    ->
 *                                            <-     hello (proof of the token, self-test)
 *       run (its own proof, model, settings) ->     or: refuse
 *                                            <-     need (the first chunk)
 *       chunk + bytes                        ->
 *                                            <-     ready (for rehearsals)
 *       work (rehearsals) + weights          ->
 *                                            <-     partial-sums + vectors
 *       fetch                                ->
 *                                            <-     need (chunks), repeated until all are here
 *       chunk + bytes                        ->
 *                                            <-     ready
 *       work + weights                       ->
 *                                            <-     partial-sums + vectors
 *       work, then segments of weights       ->
 *                                            <-     segments of vectors, then partial-sums
 *                                            <-     retract (of a relay: the segments were wrong, and come again)
 *       expel (of a relay: a worker below)   ->
 *       cancel                               ->
 *                                            <-     cancelled
 *       ping -> <- pong at any time; the end is: stop, leave or failed
 *
 * Vectors that have more bytes together than a segment travel in segments (shared/reduction/segments.ts), each a message of
 * its own, in any order. Both ends cut them alike. Those of `work` follow it, and other messages may come between them; those
 * of `partial-sums` come before it.
 *
 * Watchers connect to another path and have other messages; see watch-messages.ts.
 */
import type { Compression } from '../codec/codec.js';
import type { Manifest } from '../data/manifest.js';
import type { Clipping } from '../optim/clipping.js';
import type { GradientNoise } from '../optim/gradient-noise.js';
import type { LocalUpdates } from '../optim/local-updates.js';
import type { OptimizerSettings } from '../optim/settings.js';
import type { SegmentPlace } from '../reduction/segments.js';
import type { LeafRange, TreeNode } from '../reduction/tree.js';

/**
 * Increased whenever a message changes its shape or its meaning. `kind` and `reason` of `refuse`, and `kind` and `version` of
 * `challenge`, `hello` and `watch`, are the same in every version, so that two versions can tell each other what is wrong.
 */
export const PROTOCOL_VERSION = 8;

/** The first message. A peer that answers it with the right proof knows the join token. */
export interface Challenge {
  readonly kind: 'challenge';
  readonly version: number;
  readonly run: string;
  readonly nonce: string;
}

/** What decides which samples a leaf has, and which sums there are. */
export interface WireSettings {
  /** An integer in [0, 2^53). */
  readonly seed: number;
  /** Samples of a global batch. */
  readonly batch: number;
  readonly leafSize: number;
  /** How many consecutive leaves are never split between workers. */
  readonly leavesPerGroup: number;
  /** Local updates: the leaves of a step are replicas, which workers take optimizer steps for. Left out: they are not. */
  readonly local?: WireLocalUpdates | undefined;
}

/** Local updates, and how a replica updates its weights. */
export interface WireLocalUpdates extends LocalUpdates {
  readonly optimizer: OptimizerSettings;
  readonly clipping?: Clipping | undefined;
  /** How results and updates are encoded; left out: they are float32. */
  readonly codec?: Compression | undefined;
}

/**
 * In a run of single steps with a codec: how partial sums and updates are encoded, and how a worker updates its weights as the coordinator
 * does.
 */
export interface WireCompression {
  readonly codec: Compression;
  readonly optimizer: OptimizerSettings;
  readonly clipping?: Clipping | undefined;
  readonly gradientNoise?: GradientNoise | undefined;
}

/** The worker is admitted: everything about the run that it needs, except weights and data. */
export interface Run {
  readonly kind: 'run';
  readonly memberId: string;
  /** The coordinator's proof of the token. A worker computes only for a coordinator that knows the token. */
  readonly proof: string;
  /** The graph as plain JSON of bounded depth; shared/graph validates it. */
  readonly model: unknown;
  readonly settings: WireSettings;
  readonly data: Manifest;
  /** Left out: vectors are float32. */
  readonly compression?: WireCompression | undefined;
  /** Work is audited: a relay says of its sums who has computed which part of them. */
  readonly audits?: true;
}

/** A chunk of the data set that was requested. Payload: its bytes. */
export interface Chunk {
  readonly kind: 'chunk';
  readonly index: number;
  /** The payload is compressed (raw DEFLATE, RFC 1951), as the link is slow. */
  readonly isDeflated?: true;
}

/** The worker is to fetch the rest of the data, since it will be given work that counts. */
export interface Fetch {
  readonly kind: 'fetch';
}

/** Leaves to compute, answered by `partial-sums` of the same step and range. Several may be open at a time. */
export interface Work {
  readonly kind: 'work';
  /** Steps done before this one. It also identifies the weights. */
  readonly step: number;
  /** Not empty. */
  readonly range: LeafRange;
  /**
   * Whether the step's weights come with it, as payload or in segments (float32, the plan's flat vector; with a codec followed
   * by the optimizer's vectors; with local updates, the state that a round begins with). If not, the worker has them already, or
   * makes them of those that it has and of the update.
   */
  readonly weights: boolean;
  /** Nobody needs the sums, only the time that they take: a worker that has the first chunk only may compute them. */
  readonly rehearses?: true;
  /**
   * Only with a codec: the encoded update of the step before comes with it. The worker applies it to weights that it has.
   * In a rehearsal it does not, and computes with whatever weights it has, because nobody needs the answer.
   */
  readonly update?: 'apply' | 'rehearse' | undefined;
}

/** A segment of what comes with the latest `work`. Payload: its bytes. Those that are missing when other weights come never come. */
export interface WorkSegment extends SegmentPlace {
  readonly kind: 'segment';
  readonly step: number;
}

/**
 * The step has ended or is void: its ranges are not needed any more. Answered by `cancelled`. Sent only where a range takes
 * long enough to be worth it.
 */
export interface Cancel {
  readonly kind: 'cancel';
  readonly step: number;
}

/** To a relay: somebody below it was wrong, and is to be expelled there. */
export interface Expel {
  readonly kind: 'expel';
  /** Its path, as the relay has named it in `parts`. */
  readonly path: string;
  readonly step: number;
  readonly range: LeafRange;
  /** SHA-256 of its sums, and of the right ones. */
  readonly hash: string;
  readonly rightHash: string;
}

/** The worker is not admitted, or expelled. The link is closed after it. */
export interface Refuse {
  readonly kind: 'refuse';
  readonly reason: string;
  /** Another attempt may succeed after so long. Left out: it is useless. A peer of another version is not sent it. */
  readonly retryAfterMs?: number;
}

/** The run is over. */
export interface Stop {
  readonly kind: 'stop';
  readonly reason: string;
  /** It has not done its last step, and can be resumed. */
  readonly isUnfinished?: true;
}

/** Asks for a pong, as a sign of life. */
export interface Ping {
  readonly kind: 'ping';
  readonly id: number;
}

/** Whether the worker is given work from now on, or is on standby because it would slow the run; and why. */
export interface PlacementNews {
  readonly kind: 'placement';
  readonly state: 'active' | 'standby';
  readonly reason: string;
}

export type CoordinatorToWorker =
  | Challenge
  | Run
  | Chunk
  | Fetch
  | Work
  | WorkSegment
  | Cancel
  | Expel
  | PlacementNews
  | Refuse
  | Stop
  | Ping;

/** The result of one kernel on the self-test's fixed inputs. */
export interface SelfTestResult {
  readonly kernel: string;
  /** SHA-256, lower-case hexadecimal. */
  readonly hash: string;
}

/** That a machine has its key; see shared/link/machine-key.ts. */
export interface MachineProof {
  /** The public key: 32 bytes in base64url. It identifies the machine. */
  readonly key: string;
  /** Ed25519 over the handshake: 64 bytes in base64url. */
  readonly signature: string;
}

/** The answer to a challenge. */
export interface Hello {
  readonly kind: 'hello';
  readonly version: number;
  readonly nonce: string;
  readonly proof: string;
  /** For people, such as the machine's host name. */
  readonly name: string;
  readonly backend: string;
  /** More on the backend: "avx512", "relaxed-simd". */
  readonly detail: string;
  /** Compute threads. */
  readonly threads: number;
  readonly selfTest: readonly SelfTestResult[];
  /** That it has the key of its machine; left out: it has none, and is known by its address and name. */
  readonly machine?: MachineProof;
}

/** Requests chunks. At most NEED_CHUNKS_MAX may be requested and not arrived. */
export interface Need {
  readonly kind: 'need';
  readonly chunks: readonly number[];
}

/** The model is planned and the data are here: work can be assigned. */
export interface Ready {
  readonly kind: 'ready';
  /** Only the first chunk is here: rehearsals can be assigned, and other work after "fetch" and another "ready". */
  readonly lacksData?: true;
}

/**
 * The sums of one range: one vector for each node of the tree, in order, each encoded where there is a codec. They are the
 * payload, or have come before in segments, or lie in shared memory.
 */
export interface PartialSums {
  readonly kind: 'partial-sums';
  readonly step: number;
  readonly range: LeafRange;
  /** The maximal aligned subtrees of `range`, in leaf order; with a codec, see exchangedNodes. */
  readonly nodes: readonly TreeNode[];
  /** Computing time, without waiting and sending. It decides how many leaves a worker gets, never the result. */
  readonly computeMicros: number;
  /** Of a relay in a run of local updates: how many replicas those below compute at a time, each in that time. Left out: 1. */
  readonly concurrency?: number;
  /** Of a relay in a run that is audited: who has computed what of it. Left out: the relay answers for all of it. */
  readonly parts?: readonly SumPart[];
  /**
   * Byte offset of each vector in the memory that both sides share. Only within a process: a message from a network is
   * refused when it has this field, since its sender could name any byte of this process.
   */
  readonly buffers?: readonly number[];
}

/** What somebody below a relay has computed of the relay's sums. */
export interface SumPart {
  /** Who: its id at the relay; of those below another relay there, that one's path, a "/" and the id. */
  readonly path: string;
  /** For people. */
  readonly name: string;
  readonly range: LeafRange;
  /** SHA-256 of the sums that it has sent. */
  readonly hash: string;
}

/** A segment of the sums of one range, whose `partial-sums` follows. Payload: its bytes. */
export interface SumSegment extends SegmentPlace {
  readonly kind: 'segment';
  readonly step: number;
  readonly range: LeafRange;
}

/**
 * The segments of the sums of one range that have been sent are void, and all of them come again: what somebody below a relay has sent
 * of them was replaced by other bits. Once for each range.
 */
export interface Retract {
  readonly kind: 'retract';
  readonly step: number;
  readonly range: LeafRange;
}

/** Nothing of this step, or of steps before it, comes from this worker any more: its threads are free. */
export interface Cancelled {
  readonly kind: 'cancelled';
  readonly step: number;
}

/** The worker leaves. The coordinator assigns what the worker still owes to others. */
export interface Leave {
  readonly kind: 'leave';
  readonly reason: string;
}

/** Answers the ping of the same id. */
export interface Pong {
  readonly kind: 'pong';
  readonly id: number;
}

/** The worker could not compute a step and cannot go on. */
export interface Failed {
  readonly kind: 'failed';
  readonly step: number;
  readonly reason: string;
}

export type WorkerToCoordinator =
  | Hello
  | Need
  | Ready
  | SumSegment
  | PartialSums
  | Retract
  | Cancelled
  | Leave
  | Pong
  | Failed;
