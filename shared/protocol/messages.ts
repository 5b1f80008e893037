/*
 * What a coordinator and a node say to each other: one union per direction, told apart by `kind`. What came over a
 * wire has passed shared/protocol/parse.ts before anyone sees it as one of these types.
 *
 *     coordinator                                   node
 *       challenge (nonce)                    ->
 *                                            <-     hello (proof of the token, self-test)
 *       run (its own proof, model, settings) ->     or: refuse
 *                                            <-     need (chunks), as often as it takes
 *       chunk + bytes                        ->
 *                                            <-     ready
 *       work + weights                       ->
 *                                            <-     partials + vectors
 *       ping -> <- pong at any time; the end is: stop, leave or failed
 *
 * Who only watches is spoken to on another path, in other words: see watch-messages.ts.
 */
import type { Manifest } from '../data/manifest.js';
import type { Node, Range } from '../sum/leaves.js';

/** The first word: who can answer this with the right proof knows the join token. */
export interface Challenge {
  readonly kind: 'challenge';
  readonly version: number;
  readonly run: string;
  readonly nonce: string;
}

/** What decides which samples a leaf holds and how sums are closed. */
export interface WireSettings {
  /** An integer in [0, 2^53). */
  readonly seed: number;
  /** Samples of a global batch. */
  readonly batch: number;
  readonly leafSize: number;
  /** Leaves that are never split between nodes. */
  readonly granule: number;
}

/** The node is in: everything it needs to know of the run but weights and data. */
export interface Run {
  readonly kind: 'run';
  readonly memberId: string;
  /** The coordinator's own proof of the token: a node works for nobody else. */
  readonly proof: string;
  /** The graph as plain JSON of bounded depth; shared/graph validates it. */
  readonly model: unknown;
  readonly settings: WireSettings;
  readonly data: Manifest;
}

/** A chunk of the data set that was asked for. Payload: its bytes. */
export interface Chunk {
  readonly kind: 'chunk';
  readonly index: number;
}

/** Leaves to compute; answered by `partials` of the same step and range. Several may be under way. */
export interface Work {
  readonly kind: 'work';
  /** Steps done before this one: names the weights too. */
  readonly step: number;
  /** Not empty. */
  readonly range: Range;
  /** Whether the payload is the step's weights (float32, the plan's flat vector). If not, the node has them already. */
  readonly weights: boolean;
}

/** The node is not let in, or no longer; the link is closed after it. Trying again is of no use. */
export interface Refuse {
  readonly kind: 'refuse';
  readonly reason: string;
}

/** The run is over. */
export interface Stop {
  readonly kind: 'stop';
  readonly reason: string;
}

/** Asks for a sign of life. */
export interface Ping {
  readonly kind: 'ping';
  readonly id: number;
}

export type CoordinatorToNode = Challenge | Run | Chunk | Work | Refuse | Stop | Ping;

/** What one kernel made of the self-test's fixed inputs. */
export interface SelfTestResult {
  readonly kernel: string;
  /** SHA-256, lower-case hexadecimal. */
  readonly hash: string;
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
}

/** Asks for chunks. At most NEED_CHUNKS_MAX may have been asked for and not arrived. */
export interface Need {
  readonly kind: 'need';
  readonly chunks: readonly number[];
}

/** Model planned, data at hand: work can come. */
export interface Ready {
  readonly kind: 'ready';
}

/** One range computed. Payload: one vector per node, in order; empty when the memory is shared. */
export interface Partials {
  readonly kind: 'partials';
  readonly step: number;
  readonly range: Range;
  /** The maximal aligned subtrees of `range`, in leaf order. */
  readonly nodes: readonly Node[];
  /** Time spent computing, without waiting and sending. Decides how much a node is given, never what comes out. */
  readonly computeMicros: number;
  /**
   * Byte offset of each node's vector in the memory that both sides share. Only within a process: what comes over a
   * wire is refused when it carries this, or a peer could point at any byte of ours.
   */
  readonly slots?: readonly number[];
}

/** The node goes, of its own will; what it still owes goes to others. */
export interface Leave {
  readonly kind: 'leave';
  readonly reason: string;
}

/** Answers the ping of the same id. */
export interface Pong {
  readonly kind: 'pong';
  readonly id: number;
}

/** The node could not compute a step and cannot go on. */
export interface Failed {
  readonly kind: 'failed';
  readonly step: number;
  readonly reason: string;
}

export type NodeToCoordinator = Hello | Need | Ready | Partials | Leave | Pong | Failed;
