import { expect } from 'vitest';
import { coordinate } from '../../coordinator/coordinator.js';
import type { CoordinatorEffect, CoordinatorMessage } from '../../coordinator/messages.js';
import type { RunEvent } from '../../coordinator/observer.js';
import { type CoordinatorState, initialState, type RunSettings } from '../../coordinator/state.js';
import type { NodeToCoordinator } from '../../shared/protocol/messages.js';
import type { Watch } from '../../shared/protocol/watch-messages.js';
import { maximalSubtrees, type Range } from '../../shared/sum/leaves.js';
import { hello, NONCE, runSettings } from './settings.js';

/** A coordinator in a play: a test speaks all other parts, and reads what the coordinator does, one line an effect. */
export class Script {
  readonly state: CoordinatorState;
  /** The coordinator's clock. */
  nowMs = 0;
  private slots = 100;

  constructor(settings: Partial<RunSettings> = {}) {
    this.state = initialState(runSettings(settings), 0);
  }

  /** One message in, its effects out; but for timers, and what is only written down. */
  tell(message: CoordinatorMessage): string[] {
    return this.tellAll(message).filter((line) => !/^(wake|report) /.test(line));
  }

  /** One message in, all of its effects out. */
  tellAll(message: CoordinatorMessage): string[] {
    return coordinate(this.state, message, this.nowMs).effects.map(describeEffect);
  }

  /** Time has passed: the coordinator looks who is still there. */
  tick(nowMs: number): string[] {
    this.nowMs = nowMs;
    return this.tell({ kind: 'tick' });
  }

  /** A node says something. */
  says(id: string, message: NodeToCoordinator | Watch, slots: readonly number[] = []): string[] {
    return this.tell({ kind: 'received', id, message, slots });
  }

  connects(id: string, sharesMemory = false): string[] {
    return this.tell({ kind: 'connected', id, nonce: NONCE, sharesMemory });
  }

  /** A node comes all the way in. Returns what its being ready brings about. */
  joins(id: string, { local = false, threads = 1 } = {}): string[] {
    this.connects(id, local);
    this.says(id, hello(id, { threads }));
    return this.says(id, { kind: 'ready' });
  }

  /** A node hands in a range. Its sums lie in new slots: 100, 101, ... over the whole script. */
  answers(id: string, step: number, range: Range, leaves = 8): string[] {
    const nodes = maximalSubtrees(range, leaves);
    const slots = nodes.map(() => this.slots++);
    return this.says(id, { kind: 'partials', step, range, nodes, computeMicros: 1 }, slots);
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
    case 'admit':
      return `admit ${effect.id}`;
    case 'show':
      return `show ${effect.id}`;
    case 'drop':
      return `drop ${effect.id}: ${effect.reason}`;
    case 'stride': {
      const shares = effect.shares.map(({ memberId, range }) => `${memberId} ${describeRange(range)}`);
      return `stride ${effect.step} with scalars ${effect.scalars.join(' ')}: ${shares.join(', ')}`;
    }
    case 'finish': {
      const parts = effect.arrived.map(({ node, slot }) => `(${node.level},${node.index})@${slot}`);
      return `finish ${effect.step} with scalars ${effect.scalars.join(' ')}: ${parts.join(' ')}`;
    }
    case 'release':
      return `release ${effect.slots.join(' ')}`;
    case 'keep':
    case 'restore':
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
    case 'watch':
      return `watch ${effect.step}${effect.ahead ? ' and ahead' : ''}`;
    case 'interrupt-stride':
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
      return `work ${message.step} ${describeRange(message.range)}${behind}`;
    case 'chunk':
      return `chunk ${message.index}${behind}`;
    case 'refuse':
    case 'stop':
      return `${message.kind}: ${message.reason}`;
    default:
      return message.kind;
  }
}

function describeRange({ from, to }: Range): string {
  return `[${from},${to})`;
}

function describeEvent(event: RunEvent): string {
  switch (event.event) {
    case 'assignment':
      return `assignment ${event.reason}`;
    case 'hedge':
      return `hedge [${event.from},${event.to}) of ${event.late} by ${event.helpers}`;
    case 'checkpoint':
    case 'resumed':
      return `${event.event} ${event.step}`;
    case 'restored':
      return `restored ${event.to}`;
    case 'reverted':
      return `reverted to ${event.to} for ${event.member} since ${event.since}`;
    case 'expelled':
      return `expelled ${event.member} over [${event.from},${event.to}): ${event.parameter}, ${event.hash} for ${event.rightHash}`;
    default:
      return event satisfies never;
  }
}
