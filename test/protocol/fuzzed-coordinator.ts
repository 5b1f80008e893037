import { expect } from 'vitest';
import { IncomingSums } from '../../coordinator/compute/incoming-sums.js';
import { initialState } from '../../coordinator/coordinator-state.js';
import { isOwed, owedVectors } from '../../coordinator/scheduling/answers.js';
import type { CoordinatorEffect, CoordinatorMessage } from '../../coordinator/state/messages.js';
import { coordinate } from '../../coordinator/transition.js';
import { ProtocolError } from '../../shared/protocol/checked.js';
import type { Work, WorkerToCoordinator } from '../../shared/protocol/messages.js';
import { parseWorkerMessage } from '../../shared/protocol/parse.js';
import { cutVector } from '../../shared/reduction/segments.js';
import { maximalSubtrees, nodeLeaves, type TreeNode } from '../../shared/reduction/tree.js';
import { hello, NONCE, runSettings } from '../coordinator/settings.js';
import { leavesOf, parsed } from './mutation.js';

/** Sums have two segments of four bytes. */
const CUT = cutVector(8, [], 4);

export const HONEST = ['a', 'b'] as const;

/** A coordinator with two honest members, which answer when the test says so, and members that send anything. */
export class FuzzedCoordinator {
  readonly state = initialState(runSettings({ steps: 1e9, minWorkers: 2 }), 0);
  readonly owed = new Map<string, Work[]>();
  /** The buffers that have not been released, and the step and the tree node of their sums. */
  readonly buffers = new Map<number, string>();
  stepsDone = 0;
  refused = 0;
  private buffersUsed = 0;
  private nowMs = 0;
  private readonly incoming = new IncomingSums(
    {
      cut: CUT,
      take: (vectors) =>
        Array.from({ length: vectors }, () => {
          this.buffers.set(++this.buffersUsed, 'arriving');
          return this.buffersUsed;
        }),
      write: (buffer, at, bytes) => {
        expect(this.buffers.get(buffer)).toBe('arriving');
        expect(at + bytes.length).toBeLessThanOrEqual(CUT.bytes);
      },
      release: (buffers) => this.release(buffers),
    },
    (id, task) => owedVectors(this.state.scheduling, id, task),
    (id, message) => isOwed(this.state.scheduling, id, message),
  );

  constructor() {
    for (const id of HONEST) this.join(id);
  }

  tell(message: CoordinatorMessage): void {
    this.nowMs += 1;
    for (const effect of coordinate(this.state, message, this.nowMs).effects) this.perform(effect);
  }

  join(id: string): void {
    this.tell({ kind: 'connected', id, nonce: NONCE, sharesMemory: false, address: id });
    if (!this.says(id, hello(id))) return;
    this.says(id, { kind: 'ready' });
  }

  /**
   * Does with a message what the effect runner does.
   * @param payloadBytes left out: as many as it should have
   * @returns whether it was a valid message
   */
  says(id: string, value: unknown, payloadBytes?: number): boolean {
    const message = parsed(parseWorkerMessage, value);
    const garbled = (): boolean => {
      this.tell({ kind: 'garbled', id, reason: 'no message' });
      return false;
    };
    if (message === undefined) return garbled();
    const payload = new Uint8Array(payloadBytes ?? (message.kind === 'segment' ? 4 : 0));
    let buffers: readonly number[] = [];
    try {
      buffers = this.incoming.receive(id, message, payload);
    } catch (error) {
      if (!(error instanceof ProtocolError)) throw error;
      return garbled();
    }
    if (message.kind === 'partial-sums')
      for (const [i, buffer] of buffers.entries()) {
        const { level, index } = message.nodes[i] as TreeNode;
        this.buffers.set(buffer, `${message.step} (${level},${index})`);
      }
    this.tell({ kind: 'received', id, message, buffers });
    return true;
  }

  disconnect(id: string): void {
    this.incoming.forgetMember(id);
    this.tell({ kind: 'disconnected', id, reason: 'gone' });
  }

  /** A member answers its oldest work. */
  answer(id: string): void {
    const work = this.owed.get(id)?.shift();
    if (work === undefined) return;
    for (const segment of segmentsOf(work)) this.says(id, segment);
    this.says(id, answerTo(work));
  }

  /** The honest members answer until a step is done. */
  goOn(): void {
    const before = this.stepsDone;
    for (let turns = 0; this.stepsDone === before; turns++) {
      if (turns > 100) throw new Error('the run does not go on');
      for (const id of HONEST) this.answer(id);
    }
  }

  private release(buffers: readonly number[]): void {
    for (const buffer of buffers) if (!this.buffers.delete(buffer)) throw new Error(`buffer ${buffer} twice`);
  }

  private perform(effect: CoordinatorEffect): void {
    switch (effect.kind) {
      case 'send':
        if (effect.message.kind !== 'work') return;
        this.owed.set(effect.id, [...(this.owed.get(effect.id) ?? []), effect.message]);
        return;
      case 'send-chunk':
        this.tell({ kind: 'chunk-sent', id: effect.id });
        return this.tell({ kind: 'data-due' });
      case 'drop':
        if (HONEST.some((id) => id === effect.id))
          throw new Error(`${effect.id} is honest: ${effect.reason}`);
        this.refused += 1;
        this.owed.delete(effect.id);
        this.incoming.forgetMember(effect.id);
        return;
      case 'release':
        return this.release(effect.buffers);
      case 'finish': {
        this.incoming.forgetAll();
        const parts = effect.arrived.map(({ node: { level, index }, buffer }) => {
          expect(this.buffers.get(buffer)).toBe(`${effect.step} (${level},${index})`);
          this.buffers.delete(buffer);
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

/** The segments of the right answer to some work. */
export function segmentsOf({ step, range }: Work): WorkerToCoordinator[] {
  return maximalSubtrees(range, leavesOf(step)).flatMap((_, vector) =>
    CUT.segments.map((_, index) => ({ kind: 'segment', step, range, vector, index }) as const),
  );
}

/** The right answer to some work. */
export function answerTo({ step, range }: Work): WorkerToCoordinator {
  return {
    kind: 'partial-sums',
    step,
    range,
    nodes: maximalSubtrees(range, leavesOf(step)),
    computeMicros: 5,
  };
}
