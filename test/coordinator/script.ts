import { expect } from 'vitest';
import { type CoordinatorState, initialState } from '../../coordinator/coordinator-state.js';
import type { CoordinatorEffect, CoordinatorMessage } from '../../coordinator/state/messages.js';
import type { RunEvent } from '../../coordinator/state/observer.js';
import type { RunSettings } from '../../coordinator/state/run-settings.js';
import type { RunProgress } from '../../coordinator/storage/checkpoint.js';
import type { AuditMemory } from '../../coordinator/storage/member-ledger.js';
import { coordinate } from '../../coordinator/transition.js';
import type { WorkerToCoordinator } from '../../shared/protocol/messages.js';
import type { Control, Watch } from '../../shared/protocol/watch-messages.js';
import { type LeafRange, maximalSubtrees } from '../../shared/reduction/tree.js';
import { hello, NONCE, runSettings } from './settings.js';

/** A coordinator under test: the test sends it messages, and reads its effects, one line each. */
export class Script {
  readonly state: CoordinatorState;
  /** The coordinator's clock. */
  nowMs = 0;
  private buffers = 100;

  /**
   * @param memory what the run remembers of its members
   * @param from what it goes on from
   */
  constructor(settings: Partial<RunSettings> = {}, memory?: AuditMemory, from?: RunProgress) {
    this.state = initialState(runSettings(settings), 0, from, memory);
  }

  /** One message in, its effects out, without timers and what observers are told. */
  tell(message: CoordinatorMessage): string[] {
    return this.tellAll(message).filter((line) => !/^(wake|report|waited|begin after) /.test(line));
  }

  /** One message in, all of its effects out. */
  tellAll(message: CoordinatorMessage): string[] {
    return coordinate(this.state, message, this.nowMs).effects.map(describeEffect);
  }

  /** Time has passed: the coordinator looks for silent members. */
  tick(nowMs: number): string[] {
    this.nowMs = nowMs;
    return this.tell({ kind: 'tick', secret: `tick at ${nowMs}` });
  }

  /** A peer sends a message. */
  says(
    id: string,
    message: WorkerToCoordinator | Watch | Control,
    buffers: readonly number[] = [],
  ): string[] {
    return this.tell({ kind: 'received', id, message, buffers });
  }

  connects(id: string, sharesMemory = false): string[] {
    return this.tell({ kind: 'connected', id, nonce: NONCE, sharesMemory, address: id });
  }

  /**
   * A worker connects and becomes ready.
   * @param rehearsed steps count on it at once: it has shown before that it answers
   * @returns the effects of its `ready`
   */
  joins(id: string, { local = false, threads = 1, rehearsed = false } = {}): string[] {
    this.connects(id, local);
    this.says(id, hello(id, { threads }));
    const worker = this.state.scheduling.workers.get(id);
    if (rehearsed && worker !== undefined) worker.hasRehearsed = true;
    return this.says(id, { kind: 'ready' });
  }

  /** The same, but it has the first chunk of the data only. */
  joinsWithoutData(id: string): string[] {
    this.connects(id);
    this.says(id, hello(id));
    return this.says(id, { kind: 'ready', lacksData: true });
  }

  /** A worker answers a range. Its sums lie in new buffers: 100, 101, ... over the whole script. */
  answers(id: string, step: number, range: LeafRange, leaves = 8): string[] {
    const nodes = maximalSubtrees(range, leaves);
    const buffers = nodes.map(() => this.buffers++);
    return this.says(id, { kind: 'partial-sums', step, range, nodes, computeMicros: 1 }, buffers);
  }

  /** The id of the latest ping that a member has not answered. */
  openPing(id: string): number {
    return this.state.membership.members.get(id)?.openPings.at(-1)?.id as number;
  }

  leaves(id: string): string[] {
    return this.tell({ kind: 'disconnected', id, reason: 'gone' });
  }
}

/** The halves of a step's leaves. */
export const FIRST = { from: 0, to: 4 };
export const SECOND = { from: 4, to: 8 };

/** Two remote members at work on step 0, half of the leaves each. */
export function twoAtWork(): Script {
  const script = new Script({ minWorkers: 2 });
  script.joins('a');
  expect(script.joins('b')).toEqual([
    'notice b joined (wasm); 2 at work',
    'a <- work 0 [0,4) + weights',
    'b <- work 0 [4,8) + weights',
  ]);
  return script;
}

function describeEffect(effect: CoordinatorEffect): string {
  switch (effect.kind) {
    case 'send':
      return `${effect.id} <- ${describeMessage(effect)}`;
    case 'send-chunk':
      return `${effect.id} <- chunk ${effect.index}${effect.deflates ? ' deflated' : ''}${effect.besideSteps ? ' beside steps' : ''}`;
    case 'admit':
      return `admit ${effect.id}`;
    case 'admit-watcher':
      return `admit ${effect.right === 'operate' ? 'operator' : 'watcher'} ${effect.id}`;
    case 'answer-operator':
      return `${effect.id} <- ${effect.answer.isDone ? 'done' : 'refused'}: ${effect.answer.text}`;
    case 'publish':
      return `publish ${JSON.stringify(effect.report)}`;
    case 'drop':
      return `drop ${effect.id}: ${effect.reason}`;
    case 'execute': {
      const shares = effect.shares.map(({ memberId, range }) => `${memberId} ${describeRange(range)}`);
      return `execution ${effect.step} with scalars ${effect.scalars.join(' ')}: ${shares.join(', ')}`;
    }
    case 'finish': {
      const parts = effect.arrived.map(({ node, buffer }) => `(${node.level},${node.index})@${buffer}`);
      return `finish ${effect.step} with scalars ${effect.scalars.join(' ')}: ${parts.join(' ')}`;
    }
    case 'release':
      return `release ${effect.buffers.join(' ')}`;
    case 'keep-snapshot':
    case 'restore-snapshot':
      return `${effect.kind} ${effect.step}, forget ${effect.forget.join(' ') || 'none'}`;
    case 'evaluate':
      return `evaluate ${effect.step}`;
    case 'record':
      return `record ${effect.step}: ${effect.batch} samples, metrics ${effect.metrics.join(' ')}, ${effect.members} members`;
    case 'compare':
      return `compare task ${effect.task}: ${effect.answers.map(({ memberId }) => memberId).join(' ')}`;
    case 'wake':
      return `wake after ${effect.afterMs} ms`;
    case 'report':
      return `report ${describeEvent(effect.event)}`;
    case 'notice':
      return `notice ${effect.text}`;
    case 'complete':
      return `complete ${effect.reason}`;
    case 'checkpoint':
      return `checkpoint ${effect.progress.step}`;
    case 'forget-checkpoints':
      return `forget checkpoints after ${effect.after}`;
    case 'inspect':
      return `inspect ${effect.step}${effect.ahead ? ' and ahead' : ''}`;
    case 'waited':
      return `waited ${effect.ms} ms`;
    case 'begin':
      return `begin after ${effect.step}`;
    case 'begin-round':
    case 'interrupt-execution':
    case 'keep-best':
    case 'restore-best':
      return effect.kind;
    default:
      return effect satisfies never;
  }
}

function describeMessage({ message, attachment }: Extract<CoordinatorEffect, { kind: 'send' }>): string {
  const behind = attachment === 'none' ? '' : ` + ${attachment}`;
  switch (message.kind) {
    case 'work':
      return `${message.rehearses ? 'rehearsal' : 'work'} ${message.step} ${describeRange(message.range)}${behind}`;
    case 'refuse':
      return `refuse: ${message.reason}${message.retryAfterMs === undefined ? '' : `; again after ${message.retryAfterMs} ms`}`;
    case 'stop':
      return `stop: ${message.reason}`;
    default:
      return message.kind;
  }
}

function describeRange({ from, to }: LeafRange): string {
  return `[${from},${to})`;
}

function describeEvent(event: RunEvent): string {
  switch (event.event) {
    case 'placement':
      return `placement ${event.helpers.join(' ') || 'nobody'}: ${event.reason}`;
    case 'member-placement':
      return `${event.member} ${event.state}: ${event.reason}`;
    case 'layout':
      return `layout ${event.reason}`;
    case 'assignment':
      return `assignment ${event.reason}`;
    case 'hedge':
      return `hedge [${event.from},${event.to}) of ${event.late} by ${event.helpers}`;
    case 'checkpoint':
      return `${event.event} ${event.step}`;
    case 'restored':
      return `restored ${event.to}`;
    case 'rolled-back':
      return `rolled back to ${event.to} for ${event.member} since ${event.since}`;
    case 'expelled':
      return `expelled ${event.member} over [${event.from},${event.to}): ${event.parameter}, ${event.hash} for ${event.rightHash}`;
    case 'banned':
      return `banned ${event.member}, machine ${event.machine}`;
    default:
      return event satisfies never;
  }
}
