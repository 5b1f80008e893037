import type { Comparison } from '../coordinator/compute/compare-sums.js';
import { MemberLinks, type MemberLinkTools } from '../coordinator/member-links.js';
import { memberBounds } from '../coordinator/membership/frame-limits.js';
import { isOwed, owedVectors } from '../coordinator/scheduling/answers.js';
import type { CoordinatorEffect } from '../coordinator/state/messages.js';
import { Actor } from '../shared/actor/actor.js';
import { afterReading } from '../shared/actor/clock.js';
import { randomIdentifier } from '../shared/actor/rng.js';
import type { PartialSum } from '../shared/engine/step/partial-sum-addition.js';
import { assert } from '../shared/errors.js';
import type { Link } from '../shared/link/link.js';
import type { Expel, Refuse, Stop } from '../shared/protocol/messages.js';
import { parseWorkerMessage } from '../shared/protocol/parse.js';
import type { SegmentPlace } from '../shared/reduction/segments.js';
import {
  type ComputedPart,
  initialRelayState,
  type RelayEffect,
  type RelayMessage,
  type RelaySettings,
  type RelayState,
  type RelayTask,
} from './relay-state.js';
import { coverOf } from './segment-cover.js';
import { ableCount, relay } from './transition.js';

/** How often silent members are looked for. */
const TICK_MS = 500;
/** How long those below may take to hang up once they are told that the run is over. */
const SHUTDOWN_MS = 1000;

/** What those below a relay are served with. */
export interface RelayTools
  extends Pick<MemberLinkTools, 'clock' | 'buffers' | 'outgoing' | 'chunk' | 'onSums'> {
  readonly settings: RelaySettings;
  readonly compare: (answers: Extract<CoordinatorEffect, { kind: 'compare' }>['answers']) => Comparison;
  readonly onNotice: (text: string) => void;
  /** Nobody below can be given work any more. */
  readonly onNobody: () => void;
  /** A fault of the program. */
  readonly onFailure: (error: unknown) => void;
}

/** What those below have computed of a task: partial sums in buffers, which are the caller's from now on. */
type Arrived = Pick<Extract<RelayEffect, { kind: 'computed' }>, 'parts' | 'computeMs' | 'concurrency'>;

/** Those below a relay, in one run: performs the effects of its transition. */
export class RelayMembers {
  private readonly actor: Actor<RelayState, RelayMessage, RelayEffect>;
  private readonly links: MemberLinks;
  private cancelTick = (): void => {};
  /** Resolve the tasks under way, by the first leaf of each. */
  private readonly resolveTasks = new Map<number, (arrived: Arrived | undefined) => void>();
  /** Resolve when so many can be given work. */
  private awaiting: { readonly least: number; readonly resolve: () => void }[] = [];
  private hadAble = false;

  constructor(private readonly tools: RelayTools) {
    const { settings, clock, buffers } = tools;
    this.links = new MemberLinks({
      ...tools,
      bounds: memberBounds(buffers.cut, settings),
      isOwed: (id, sums) => isOwed(this.actor.state.scheduling, id, sums),
      owedVectors: (id, task) => owedVectors(this.actor.state.scheduling, id, task),
    });
    this.actor = new Actor({
      name: 'relay',
      state: initialRelayState(settings, clock.nowMs()),
      transition: (state, message: RelayMessage) => {
        const result = relay(state, message, clock.nowMs());
        this.noteAble(ableCount(result.state));
        return result;
      },
      perform: (effect: RelayEffect) => this.perform(effect),
      onFailure: ({ error }) => tools.onFailure(error),
    });
    this.tick();
  }

  /** Somebody has connected from below. */
  accept(link: Link): void {
    this.links.open(this.actor, link, { parse: parseWorkerMessage, sharesMemory: false });
  }

  /** Whether somebody below can be given work. */
  get isAble(): boolean {
    return ableCount(this.actor.state) > 0;
  }

  /** Resolves when so many below can be given work. */
  async able(least: number): Promise<void> {
    if (ableCount(this.actor.state) >= least) return;
    await new Promise<void>((resolve) => this.awaiting.push({ least, resolve }));
  }

  /** Has those below compute leaves. @returns undefined: it was abandoned */
  compute(task: RelayTask): Promise<Arrived | undefined> {
    return new Promise((resolve) => {
      this.resolveTasks.set(task.range.from, resolve);
      this.actor.tell({ kind: 'compute', ...task });
    });
  }

  /** Partial sums that cover the leaves of a task under way, and of which a segment is here. */
  cover(
    { step, range }: Pick<RelayTask, 'step' | 'range'>,
    segment: number,
  ): readonly PartialSum[] | undefined {
    const { current } = this.actor.state.scheduling;
    if (current?.step !== step) return undefined;
    return coverOf(current, range, (id, range) => this.links.arriving(id, { step, range }, segment));
  }

  /** Nobody needs the tasks under way any more. */
  abandon(): void {
    this.actor.tell({ kind: 'abandon' });
    const resolveTasks = [...this.resolveTasks.values()];
    this.resolveTasks.clear();
    for (const resolve of resolveTasks) resolve(undefined);
  }

  /** Somebody below was wrong. */
  expel(message: Expel): void {
    this.actor.tell(message);
  }

  /** A segment of weights or an update has arrived on this machine. */
  arrived(place: SegmentPlace): void {
    this.links.arrived(place);
  }

  /** The weights are about to change. */
  keepUnsent(): void {
    this.links.keepUnsent();
  }

  /** What has not arrived of them never will, and nobody needs what is computed with them. */
  stopWaiting(): void {
    this.links.sendAsIs();
  }

  /** Tells those below that it is over, and waits a bounded time until they have hung up. */
  async close(last: Stop | Refuse): Promise<void> {
    this.cancelTick();
    this.actor.stop();
    await this.links.shutdown(last, SHUTDOWN_MS);
  }

  private noteAble(count: number): void {
    for (const { least, resolve } of this.awaiting) if (count >= least) resolve();
    this.awaiting = this.awaiting.filter(({ least }) => count < least);
    const hadAble = this.hadAble;
    this.hadAble = count > 0;
    if (hadAble && count === 0) this.tools.onNobody();
  }

  private computed(computed: Extract<RelayEffect, { kind: 'computed' }>): void {
    const { resolveTasks, tools } = this;
    const { from } = computed.task.range;
    const resolve = resolveTasks.get(from);
    resolveTasks.delete(from);
    this.links.forgetSuperfluous();
    // It was abandoned meanwhile.
    if (resolve === undefined) return tools.buffers.release(buffersOf(sumsOf(computed.parts)));
    resolve(computed);
  }

  private tick(): void {
    this.cancelTick = this.tools.clock.after(TICK_MS, () => {
      this.actor.tell({ kind: 'tick', secret: randomIdentifier() });
      this.tick();
    });
  }

  private perform(effect: RelayEffect): void {
    const { clock, buffers, compare, onNotice } = this.tools;
    switch (effect.kind) {
      case 'send':
      case 'send-chunk':
      case 'admit':
      case 'answer-operator':
      case 'drop':
        return this.links.perform(effect, this.actor);
      case 'wake':
        afterReading(clock, effect.afterMs, () => this.actor.tell({ kind: 'woken' }));
        return;
      case 'release':
        return buffers.release(effect.buffers);
      case 'compare': {
        const { step, task, answers } = effect;
        return this.actor.tell({ kind: 'compared', step, task, ...compare(answers) });
      }
      case 'notice':
        return onNotice(effect.text);
      case 'report':
        if (effect.event.event === 'expelled')
          onNotice(`${effect.event.member} is expelled: its sums of step ${effect.event.step} are wrong`);
        return;
      case 'computed':
        return this.computed(effect);
      default:
        assert(false, `a relay does not carry out "${effect.kind}"`);
    }
  }
}

/** All partial sums of a task. */
export function sumsOf(parts: readonly ComputedPart[]): PartialSum[] {
  return parts.flatMap(({ partialSums }) => partialSums);
}

/** The buffers of partial sums. */
export function buffersOf(sums: readonly PartialSum[]): number[] {
  return sums.map(({ buffer }) => buffer);
}
