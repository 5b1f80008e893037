import type { Partial } from '../shared/engine/partials.js';
import type { CoordinatorToNode, NodeToCoordinator } from '../shared/protocol/messages.js';
import type { Watch } from '../shared/protocol/watch-messages.js';
import type { Share } from './assignment.js';
import type { RunProgress } from './checkpoint.js';
import type { Fingerprints } from './keeper.js';
import type { Metrics, RunEvent } from './observer.js';

/** What reaches the coordinator's mailbox. Whatever an effect started comes back as one of these. */
export type CoordinatorMessage =
  | { kind: 'connected'; id: string; nonce: string; sharesMemory: boolean }
  /** A validated message of a node, or of who watches. `slots`: where the vectors that came with it lie in memory. */
  | { kind: 'received'; id: string; message: NodeToCoordinator | Watch; slots: readonly number[] }
  /** A node sent something that is no message of this protocol. */
  | { kind: 'garbled'; id: string; reason: string }
  | { kind: 'disconnected'; id: string; reason: string }
  /** `isBroken`: the sums of the step behind these are not finite; it was not done, and the weights are as before it. */
  | { kind: 'strided'; metrics: readonly StepMetrics[]; isBroken?: boolean; elapsedMs: number }
  | { kind: 'finished'; metrics: StepMetrics; isBroken?: boolean }
  /** Means over the evaluation set, such as its loss. */
  | { kind: 'evaluated'; means: Metrics }
  /** What was to be seen at this point has been seen. */
  | { kind: 'watched' }
  /** The state of so many steps is safe, or why it is not. */
  | { kind: 'saved'; step: number; outcome: Fingerprints | { readonly problem: string } }
  | Compared
  | { kind: 'tick' }
  /** The time has come that was asked for. */
  | { kind: 'woken' }
  | { kind: 'interrupt' };

/** Answers to one task were compared bit by bit. */
export interface Compared {
  readonly kind: 'compared';
  readonly step: number;
  readonly task: number;
  /** SHA-256 of each member's sums. */
  readonly hashes: readonly { readonly memberId: string; readonly hash: string }[];
  /** The first parameter in which two of them part; undefined when all are equal. */
  readonly parameter: string | undefined;
}

/** The metric sums of one step, in the plan's order, as they left the canonical sum. */
export type StepMetrics = readonly number[];

/**
 * Why a run is over. `stopped`: evaluations got no better. `diverged`: the sums of the step that comes next, or of the
 * latest evaluation, are no finite numbers.
 */
export type Completion = 'finished' | 'stopped' | 'interrupted' | 'diverged';

/** What a frame to a node carries behind its header. */
export type Attachment = 'none' | 'weights' | 'chunk';

/** What the coordinator wants done. Carried out by the shell (coordinator/shell.ts), never by a transition. */
export type CoordinatorEffect =
  | { kind: 'send'; id: string; message: CoordinatorToNode; attachment: Attachment }
  /** A stranger has proven itself: its link may carry more from now on. */
  | { kind: 'admit'; id: string }
  /** A stranger has proven the right to watch: it is told so, with this proof, and of the run's progress from now on. */
  | { kind: 'show'; id: string; proof: string }
  /** Close the link of a member; nothing more is expected from it. */
  | { kind: 'drop'; id: string; reason: string }
  /** Whole steps on the threads of members that share the memory: compute, sum and update without the mailbox. */
  | { kind: 'stride'; step: number; shares: readonly Share[]; scalars: readonly (readonly number[])[] }
  /** End the stride under way at the next step. It reports as usual. */
  | { kind: 'interrupt-stride' }
  /** Add what the tree adds, and update the weights with the root. */
  | { kind: 'finish'; step: number; arrived: readonly Partial[]; scalars: readonly number[] }
  /** Several members have computed the same. To be done at once: where the sums lie is promised no longer. */
  | {
      kind: 'compare';
      step: number;
      task: number;
      answers: readonly { readonly memberId: string; readonly partials: readonly Partial[] }[];
    }
  /** Tell `woken` after this time. */
  | { kind: 'wake'; afterMs: number }
  /** Vectors that a node sent and nobody needs. */
  | { kind: 'release'; slots: readonly number[] }
  | { kind: 'evaluate'; step: number }
  /**
   * Copy the state of the run at once, and save it beside the steps that follow. `isBack`: the run has gone back, so what
   * was saved of later steps is removed first.
   */
  | { kind: 'checkpoint'; progress: RunProgress; isBack: boolean }
  /** Copy the weights and the optimizer's vectors after so many steps, and let older copies go. To be done at once. */
  | { kind: 'keep'; step: number; forget: readonly number[] }
  /** Put a copy back in place, and let others go. To be done at once; no thread is at work. */
  | { kind: 'restore'; step: number; forget: readonly number[] }
  /** The weights as they are now are the best: keep a copy beside them. To be done at once. */
  | { kind: 'keep-best' }
  /** Put the best weights in place: the run is over. */
  | { kind: 'restore-best' }
  /** Look at backprop: at the step just done, and `ahead` at the next one too. */
  | { kind: 'watch'; step: number; ahead: boolean }
  | { kind: 'record'; step: number; batch: number; metrics: StepMetrics; members: number }
  /** For the run's log. */
  | { kind: 'report'; event: RunEvent }
  /** For the person who watches: something changed. */
  | { kind: 'notice'; text: string }
  /** The run is over. */
  | { kind: 'complete'; reason: Completion };
