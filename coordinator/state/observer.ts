import type { GradientStats } from '../../shared/engine/passes/gradient-inspector.js';
import type { AnswersNews } from '../../shared/protocol/example-news.js';
import type { Fingerprints } from '../storage/checkpoint.js';

/** Means over samples by name, such as loss and accuracy. */
export type Metrics = Readonly<Record<string, number>>;

/** A step that is done, as the coordinator reports it. */
export interface StepRecord {
  /** Steps done, this one included. */
  readonly step: number;
  /** Samples in its batch. */
  readonly batch: number;
  /** Over the batch. */
  readonly means: Metrics;
  /** Members at work. */
  readonly members: number;
}

/** Someone who watches a run: a progress bar, the run directory. Changes nothing. */
export interface Observer {
  /** Steps are trained from now on, after so many: the first of this session, or the first after a wait or a pause. */
  begun?(step: number): void;
  /** No step was trained for so long, as the run waited for workers, or was paused. */
  waited?(ms: number): void;
  stepped(record: StepRecord): void;
  /** Means over the whole evaluation set, after so many steps. `tookMs`: time in which no step was trained. */
  evaluated(step: number, means: Metrics, tookMs: number): void;
  reported(event: RunEvent): void;
  /** What the model makes of some test samples, after an evaluation. */
  answered?(answers: AnswersNews): void;
  /** What backprop did in an inspected step. */
  inspected(stats: GradientStats): void;
  /** @param worker whom the text is about, if a remote worker joins or leaves; where very many do, they are only counted */
  notice(text: string, worker?: MemberChange): void;
}

/** A remote worker takes part from now on, or no longer. */
export interface MemberChange {
  readonly name: string;
  readonly change: 'joined' | 'left';
}

/** What happened between steps, for the run's log; `step` is the number of steps done before. */
export type RunEvent =
  /** Leaves are handed out another way. */
  | { readonly event: 'assignment'; readonly step: number; readonly reason: string }
  /** Other remote members are given work from now on: these. */
  | {
      readonly event: 'placement';
      readonly step: number;
      readonly helpers: readonly string[];
      readonly reason: string;
    }
  /** Relays would make a step clearly faster: so many, with so many workers below each. */
  | {
      readonly event: 'layout';
      readonly step: number;
      readonly relays: number;
      readonly below: number;
      readonly stepMs: number;
      readonly presentMs: number;
      readonly reason: string;
    }
  /** A member was told that it is given work from now on, or that it is on standby; and why. */
  | ({ readonly event: 'member-placement'; readonly step: number } & MemberPlacement)
  /** Leaves of a member that is late were given to idle ones too. */
  | {
      readonly event: 'hedge';
      readonly step: number;
      readonly from: number;
      readonly to: number;
      readonly late: string;
      readonly helpers: number;
    }
  /** The state after so many steps is safe. */
  | ({ readonly event: 'checkpoint'; readonly step: number } & Fingerprints)
  /** The run has ended with the weights of an earlier step, its best; their hash. */
  | {
      readonly event: 'restored';
      readonly step: number;
      readonly to: number;
      readonly weightsSha256: string;
    }
  /** The run goes back to an earlier state, as it rests on what an expelled member said `since` then. */
  | {
      readonly event: 'rolled-back';
      readonly step: number;
      readonly to: number;
      readonly member: string;
      readonly since: number;
    }
  /** The operator has banned a machine. */
  | { readonly event: 'banned'; readonly step: number; readonly member: string; readonly machine: string }
  | Evidence;

/** Why a member was expelled: its sums over these leaves differ from those that another, or two others, came to. */
export interface Evidence {
  readonly event: 'expelled';
  readonly step: number;
  readonly from: number;
  readonly to: number;
  readonly member: string;
  /** The first parameter in which the bits part; "rehearsal" where only a rehearsal was wrong, and nothing of it had counted. */
  readonly parameter: string;
  /** SHA-256 of its sums, and of the right ones. */
  readonly hash: string;
  readonly rightHash: string;
}

/** Whether a member is given work, and why. */
export interface MemberPlacement {
  readonly member: string;
  readonly state: 'active' | 'standby';
  readonly reason: string;
}
