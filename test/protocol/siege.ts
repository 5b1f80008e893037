import { expect } from 'vitest';
import { coordinate } from '../../coordinator/coordinator.js';
import type { CoordinatorEffect, CoordinatorMessage } from '../../coordinator/messages.js';
import { isOwed } from '../../coordinator/rounds.js';
import { initialState } from '../../coordinator/state.js';
import type { NodeToCoordinator, Work } from '../../shared/protocol/messages.js';
import { parseNodeMessage } from '../../shared/protocol/parse.js';
import { maximalSubtrees, nodeLeaves } from '../../shared/sum/leaves.js';
import { hello, NONCE, runSettings } from '../coordinator/settings.js';
import { leavesOf, parsed } from './mutation.js';

export const HONEST = ['a', 'b'] as const;

/** A coordinator with two honest members, who answer when they are let, and others who are not. */
export class Siege {
  readonly state = initialState(runSettings({ steps: 1e9, minWorkers: 2 }), 0);
  readonly owed = new Map<string, Work[]>();
  /** What lies in slots that have not been given back: whose, and what it is of. */
  readonly slots = new Map<number, string>();
  stepsDone = 0;
  refused = 0;
  private slotsUsed = 0;
  private nowMs = 0;

  constructor() {
    for (const id of HONEST) this.join(id);
  }

  tell(message: CoordinatorMessage): void {
    this.nowMs += 1;
    for (const effect of coordinate(this.state, message, this.nowMs).effects) this.perform(effect);
  }

  join(id: string): void {
    this.tell({ kind: 'connected', id, nonce: NONCE, sharesMemory: false });
    if (!this.says(id, hello(id))) return;
    this.says(id, { kind: 'ready' });
  }

  /** Says what a shell would let through. @returns whether it was a message at all */
  says(id: string, value: unknown): boolean {
    const message = parsed(parseNodeMessage, value);
    if (message === undefined) {
      this.tell({ kind: 'garbled', id, reason: 'no message' });
      return false;
    }
    const slots: number[] = [];
    if (message.kind === 'partials' && isOwed(this.state, id, message)) {
      for (const { level, index } of message.nodes) {
        slots.push(++this.slotsUsed);
        this.slots.set(this.slotsUsed, `${message.step} (${level},${index})`);
      }
    }
    this.tell({ kind: 'received', id, message, slots });
    return true;
  }

  /** A member answers the oldest work that it has. */
  answer(id: string): void {
    const work = this.owed.get(id)?.shift();
    if (work !== undefined) this.says(id, answerTo(work));
  }

  /** Everyone honest answers until a step is done, whatever others have or have not said. */
  goOn(): void {
    const before = this.stepsDone;
    for (let turns = 0; this.stepsDone === before; turns++) {
      if (turns > 100) throw new Error('the run does not go on');
      for (const id of HONEST) this.answer(id);
    }
  }

  private perform(effect: CoordinatorEffect): void {
    switch (effect.kind) {
      case 'send':
        if (effect.message.kind !== 'work') return;
        this.owed.set(effect.id, [...(this.owed.get(effect.id) ?? []), effect.message]);
        return;
      case 'drop':
        if (HONEST.some((id) => id === effect.id))
          throw new Error(`${effect.id} is honest: ${effect.reason}`);
        this.refused += 1;
        this.owed.delete(effect.id);
        return;
      case 'release':
        for (const slot of effect.slots) if (!this.slots.delete(slot)) throw new Error(`slot ${slot} twice`);
        return;
      case 'finish': {
        const parts = effect.arrived.map(({ node: { level, index }, slot }) => {
          expect(this.slots.get(slot)).toBe(`${effect.step} (${level},${index})`);
          this.slots.delete(slot);
          return nodeLeaves({ level, index }, leavesOf(effect.step));
        });
        let end = 0;
        for (const { from, to } of parts.sort((x, y) => x.from - y.from)) {
          expect(from).toBe(end);
          end = to;
        }
        expect(end).toBe(leavesOf(effect.step));
        this.stepsDone += 1;
        expect(effect.step).toBe(this.stepsDone - 1);
        return this.tell({ kind: 'finished', metrics: [1] });
      }
      case 'evaluate':
        return this.tell({ kind: 'evaluated', means: { loss: 1 } });
      case 'compare': {
        const hashes = effect.answers.map(({ memberId }) => ({ memberId, hash: 'same' }));
        return this.tell({
          kind: 'compared',
          step: effect.step,
          task: effect.task,
          hashes,
          parameter: undefined,
        });
      }
    }
  }
}

/** The right answer. */
export function answerTo({ step, range }: Work): NodeToCoordinator {
  return { kind: 'partials', step, range, nodes: maximalSubtrees(range, leavesOf(step)), computeMicros: 5 };
}
