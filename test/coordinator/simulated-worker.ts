import type { WorkerToCoordinator } from '../../shared/protocol/messages.js';
import { cutVector } from '../../shared/reduction/segments.js';
import { type LeafRange, maximalSubtrees, type TreeNode } from '../../shared/reduction/tree.js';
import type { WorkerEffect, WorkerMessage } from '../../worker/messages.js';
import { createWorkerState, type WorkerState, workerTransition } from '../../worker/transition.js';
import { NONCE, RIGHT_HASHES, runSettings, TOKEN } from './settings.js';

/** The canonical sum of a node of the tree as an expression over its leaves, by the definition of the tree. */
export function expression(step: number, { level, index }: TreeNode, leaves: number): string {
  if (level === 0) return `s${step}.${index}`;
  const left = expression(step, { level: level - 1, index: 2 * index }, leaves);
  const right = { level: level - 1, index: 2 * index + 1 };
  return right.index * 2 ** right.level >= leaves ? left : `(${left}+${expression(step, right, leaves)})`;
}

/** What a simulated worker needs of its cluster. */
export interface WorkerEnvironment {
  /** Leaves of a step's batch. */
  leavesOf(step: number): number;
  /** Acts later; actions on one channel happen in order. */
  later(channel: string, act: () => void): void;
  /** Opens a link. */
  connect(worker: SimulatedWorker): string;
  /** Sends a message to the coordinator, with the sums that it carries. */
  toCoordinator(link: string, message: WorkerToCoordinator, sums: readonly string[]): void;
  /** The worker closes its link. */
  hangUp(link: string): void;
}

/** The production worker's transition, with expressions in place of vectors. */
export class SimulatedWorker {
  readonly state: WorkerState;
  /** Why it ended. */
  exitReason: string | undefined;
  private link: string | undefined;
  private readonly chunks = new Set<number>();
  /** The step whose weights it holds. */
  private weightsStep = -1;
  /** What it computed last, by buffer. */
  private sums: string[] = [];

  constructor(
    readonly name: string,
    readonly sharesMemory: boolean,
    threads: number,
    private readonly environment: WorkerEnvironment,
  ) {
    const machine = { backend: 'wasm', detail: 'simulated', threads, selfTest: RIGHT_HASHES };
    this.state = createWorkerState({ name, token: TOKEN, ...machine });
  }

  tell(message: WorkerMessage): void {
    for (const effect of workerTransition(this.state, message).effects) this.perform(effect);
  }

  /** The link is gone. */
  cut(link: string, reason: string): void {
    if (this.link === link) this.tell({ kind: 'closed', reason });
  }

  private perform(effect: WorkerEffect): void {
    const { environment, name } = this;
    const soon = (message: WorkerMessage): void =>
      environment.later(`${name} alone`, () => this.tell(message));
    switch (effect.kind) {
      case 'connect':
        return environment.later(`${name} alone`, () => {
          this.link = environment.connect(this);
          this.tell({ kind: 'opened', nonce: NONCE });
        });
      case 'send':
        if (this.link === undefined) return;
        return environment.toCoordinator(
          this.link,
          effect.message,
          (effect.partialSums ?? []).map(({ buffer }) => this.sums[buffer] as string),
        );
      case 'prepare': {
        const all = runSettings().data.chunkHashes.map((_, i) => i);
        return soon({
          kind: 'prepared',
          run: effect.run,
          missing: this.sharesMemory ? [] : all.filter((i) => !this.chunks.has(i)),
          weights: this.sharesMemory ? undefined : { count: 1, cut: cutVector(1) },
        });
      }
      case 'store':
        this.chunks.add(effect.index);
        return soon({ kind: 'stored', index: effect.index, isValid: true });
      case 'load':
        this.weightsStep = effect.bytes[0] as number;
        return;
      case 'compute':
        return this.compute(effect.work.step, effect.work.range);
      case 'connect-after':
        return soon({ kind: 'connect' });
      case 'close':
        if (this.link !== undefined) environment.hangUp(this.link);
        return;
      case 'end':
        this.exitReason = `${effect.exitReason}: ${effect.reason}`;
        return;
    }
  }

  private compute(step: number, range: LeafRange): void {
    if (!this.sharesMemory && this.weightsStep !== step)
      throw new Error(`${this.name} computes step ${step} with the weights of ${this.weightsStep}`);
    const leaves = this.environment.leavesOf(step);
    this.environment.later(`${this.name} computes`, () => {
      const nodes = maximalSubtrees(range, leaves);
      this.sums = nodes.map((part) => expression(step, part, leaves));
      const partialSums = nodes.map((part, buffer) => ({ node: part, buffer }));
      this.tell({ kind: 'computed', step, range, partialSums, computeMicros: 1 });
    });
  }
}
