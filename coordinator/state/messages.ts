import type { PartialSum } from '../../shared/engine/step/partial-sum-addition.js';
import type { CoordinatorToWorker, WorkerToCoordinator } from '../../shared/protocol/messages.js';
import type {
  Control,
  Controlled,
  RunReport,
  Watch,
  WatchRight,
} from '../../shared/protocol/watch-messages.js';
import type { LeafRange } from '../../shared/reduction/tree.js';
import type { Fingerprints, RunProgress } from '../storage/checkpoint.js';
import type { MemberLedger } from '../storage/member-ledger.js';
import type { MemberChange, Metrics, RunEvent } from './observer.js';

/** What reaches a mailbox of members and what they owe: a coordinator's, and a relay's from below. */
export type MemberMessage =
  /** `address`: where it comes from, without the port. */
  | { kind: 'connected'; id: string; nonce: string; sharesMemory: boolean; address: string }
  /** A validated message of a worker or a watcher. `buffers`: where the vectors that came with it lie in memory. */
  | {
      kind: 'received';
      id: string;
      message: WorkerToCoordinator | Watch | Control;
      buffers: readonly number[];
    }
  /** A peer sent something that is no message of this protocol. */
  | { kind: 'garbled'; id: string; reason: string }
  | { kind: 'disconnected'; id: string; reason: string }
  | Compared
  /** A chunk of the data has left this machine. */
  | { kind: 'chunk-sent'; id: string }
  /** The next chunk of the data may be sent. */
  | { kind: 'data-due' }
  /** Time has passed: a regular look at who is still there. `secret`: see onTick. */
  | { kind: 'tick'; secret: string }
  /** The time that was asked for has come. */
  | { kind: 'woken' };

/** What reaches the coordinator's mailbox. Whatever an effect started comes back as one of these. */
export type CoordinatorMessage =
  | MemberMessage
  /**
   * An execution has ended. `isBroken`: the sums of the step after these are not finite; it was not done, and the weights are as
   * before it.
   */
  | { kind: 'executed'; metrics: readonly StepMetrics[]; isBroken?: boolean; elapsedMs: number }
  /** The sum of a distributed step is in the weights; or (`isBroken`) it is not finite, and the weights are as before. */
  | { kind: 'finished'; metrics: StepMetrics; isBroken?: boolean }
  /** Means over the evaluation set, such as its loss. */
  | { kind: 'evaluated'; means: Metrics }
  | { kind: 'inspected' }
  /** The state of so many steps is durable, or why it is not. */
  | { kind: 'saved'; step: number; outcome: Fingerprints | { readonly problem: string } }
  /** Checkpoints behind a step are removed, and `newest` is the last that is left; or why they may still be there. */
  | { kind: 'forgot'; after: number; outcome: { readonly newest: number } | { readonly problem: string } }
  /**
   * The operator takes members out, by the name or the key of their machine or by the id of a member; and keeps their machines
   * out, where that is asked for.
   */
  | { kind: 'remove'; who: string; isBanned: boolean }
  /** Somebody wants the run to end after the step under way. */
  | { kind: 'interrupt' };

/** Answers to one task were compared bit by bit. */
export interface Compared {
  readonly kind: 'compared';
  readonly step: number;
  readonly task: number;
  /** SHA-256 of each member's sums. */
  readonly hashes: readonly { readonly memberId: string; readonly hash: string }[];
  /** The first parameter in which two of them differ; undefined when all are equal. */
  readonly parameter: string | undefined;
}

/** The metric sums of one step, in the plan's order, as they left the canonical sum. */
export type StepMetrics = readonly number[];

/** A contiguous range of leaves for one member. */
export interface Share {
  readonly memberId: string;
  readonly range: LeafRange;
}

/**
 * Why a run is over. `stopped`: evaluations stopped improving. `diverged`: the sums of the next step, or of the latest
 * evaluation, are not finite.
 */
export type Completion = 'finished' | 'stopped' | 'interrupted' | 'diverged';

/** What a frame to a worker carries behind its header. `kept-weights`: those of this step, also if they are sent after it. */
type Attachment = 'none' | 'weights' | 'kept-weights' | 'update';

/** What the coordinator wants done. Carried out by the effect runner (coordinator/effects.ts), never by a transition. */
export type CoordinatorEffect =
  | { kind: 'send'; id: string; message: CoordinatorToWorker; attachment: Attachment }
  /**
   * Send a chunk of the data. Tell `chunk-sent` when it has left this machine, and `data-due` when the next one may be sent:
   * at once, or with `besideSteps` later, so that sending data takes a small part of this thread's time.
   */
  | { kind: 'send-chunk'; id: string; index: number; besideSteps: boolean; deflates: boolean }
  /** A peer has authenticated: its link may carry more from now on. */
  | { kind: 'admit'; id: string }
  /** A peer has proven the right to watch or to operate: it is sent this proof, and the run's progress from now on. */
  | { kind: 'admit-watcher'; id: string; proof: string; right: WatchRight }
  /** Tell an operator what became of what it asked for. */
  | { kind: 'answer-operator'; id: string; answer: Controlled }
  /** Tell all watchers. */
  | { kind: 'publish'; report: RunReport }
  /** Close the link of a member; nothing more is expected from it. */
  | { kind: 'drop'; id: string; reason: string }
  /** Steps are trained from now on, after so many: the first of this session, or the first after a wait or a pause. */
  | { kind: 'begin'; step: number }
  /** The run waited for workers, or was paused, for so long. */
  | { kind: 'waited'; ms: number }
  /** Execute whole steps on the threads of local members: compute, sum and update without the mailbox. */
  | { kind: 'execute'; step: number; shares: readonly Share[]; scalars: readonly (readonly number[])[] }
  /** End the execution under way at the next step. It reports as usual. */
  | { kind: 'interrupt-execution' }
  /** Put the optimizer's scalars of a round's steps where its replicas read them. To be done at once. */
  | { kind: 'begin-round'; step: number; scalars: readonly (readonly number[])[] }
  /** Add what the tree adds, and update the weights with the root. With local updates: take the outer step. */
  | { kind: 'finish'; step: number; arrived: readonly PartialSum[]; scalars: readonly number[] }
  /** Several members have computed the same. To be done at once: where the sums lie is promised no longer. */
  | {
      kind: 'compare';
      step: number;
      task: number;
      answers: readonly { readonly memberId: string; readonly partialSums: readonly PartialSum[] }[];
    }
  /** Tell `woken` after this time. */
  | { kind: 'wake'; afterMs: number }
  /** Vectors that a worker sent and nobody needs. */
  | { kind: 'release'; buffers: readonly number[] }
  | { kind: 'evaluate'; step: number }
  /**
   * Copy the state of the run at once, and save it beside the steps that follow. `isBack`: the run has rolled back, so
   * checkpoints of later steps are removed first. `ledger`: what is remembered of members, where that matters.
   */
  | { kind: 'checkpoint'; progress: RunProgress; isBack: boolean; ledger?: MemberLedger | undefined }
  /** Remove the checkpoints of steps after this one, where no loss of power brings them back. */
  | { kind: 'forget-checkpoints'; after: number }
  /** Copy the weights and the optimizer's vectors after so many steps, and drop older copies. To be done at once. */
  | { kind: 'keep-snapshot'; step: number; forget: readonly number[] }
  /** Put a copy back in place, and drop others. To be done at once; no thread is at work. */
  | { kind: 'restore-snapshot'; step: number; forget: readonly number[] }
  /** The weights as they are now are the best: keep a copy beside them. To be done at once. */
  | { kind: 'keep-best' }
  /** Put the best weights in place: the run is over. */
  | { kind: 'restore-best' }
  /** Inspect backprop: behind the step just done and, with `ahead`, before the next one too. */
  | { kind: 'inspect'; step: number; ahead: boolean }
  | { kind: 'record'; step: number; batch: number; metrics: StepMetrics; members: number }
  /** For the run's log. */
  | { kind: 'report'; event: RunEvent }
  /** For the person at the terminal: something has changed. */
  | { kind: 'notice'; text: string; worker?: MemberChange }
  /** The run is over. */
  | { kind: 'complete'; reason: Completion };
