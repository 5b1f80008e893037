import { type CoordinatorState, initialState } from '../../coordinator/coordinator-state.js';
import type { CoordinatorEffect, CoordinatorMessage } from '../../coordinator/state/messages.js';
import type { RunSettings } from '../../coordinator/state/run-settings.js';
import { coordinate } from '../../coordinator/transition.js';
import { SeededRandom } from '../../shared/actor/seeded-random.js';
import { stepPlace } from '../../shared/data/order.js';
import type { WorkerToCoordinator } from '../../shared/protocol/messages.js';
import { mergePlan, nodeKey } from '../../shared/reduction/merge-plan.js';
import { leafCount, rootLevel } from '../../shared/reduction/tree.js';
import { NONCE, runSettings } from './settings.js';
import { expression, SimulatedWorker, type WorkerEnvironment } from './simulated-worker.js';

/** Most events of a run of this size; a run that has more makes no progress. */
const EVENTS_MAX = 30_000;

/**
 * The transitions of a coordinator and its workers, in an order that a seed decides: messages take any time, machines die,
 * links break, workers join, and some send everything twice. There is no network and no time, unlike in simulation/. Sums are
 * expressions in place of numbers, which show whether each step's sum was formed exactly as the reduction tree defines it.
 */
export class RandomCluster implements WorkerEnvironment {
  readonly state: CoordinatorState;
  /** The sum of each distributed step, by step. */
  readonly roots = new Map<number, string>();
  readonly workers: SimulatedWorker[] = [];
  /** Workers that send everything twice, which violates the protocol. */
  readonly repeaters = new Set<string>();
  complete: string | undefined;
  private readonly random: SeededRandom;
  private readonly channels = new Map<string, (() => void)[]>();
  private readonly links = new Map<string, SimulatedWorker>();
  /** Sums that came over a link, by buffer. */
  readonly buffers = new Map<number, string>();
  private buffersUsed = 0;
  private connections = 0;
  private isInterrupted = false;
  private nowMs = 0;

  constructor(seed: number, settings: Partial<RunSettings> = {}) {
    this.random = new SeededRandom(seed);
    this.state = initialState(runSettings({ steps: 12, ...settings }), 0);
  }

  add(sharesMemory: boolean): SimulatedWorker {
    const name = `${sharesMemory ? 'local' : 'remote'} ${this.workers.length}`;
    const worker = new SimulatedWorker(name, sharesMemory, 1 + this.random.below(3), this);
    this.workers.push(worker);
    if (!sharesMemory && this.random.chance(0.05)) this.repeaters.add(name);
    this.later(name, () => worker.tell({ kind: 'connect' }));
    return worker;
  }

  /** Runs events until the run is over. */
  run(): void {
    for (let events = 0; this.complete === undefined; events++) {
      if (events > EVENTS_MAX)
        throw new Error(`the run makes no progress in step ${this.state.training.step}`);
      this.injectFault();
      const busy = [...this.channels].filter(([, waiting]) => waiting.length > 0);
      const chosen = busy[this.random.below(busy.length)];
      if (chosen === undefined) this.add(false);
      else chosen[1].shift()?.();
    }
  }

  leavesOf(step: number): number {
    const { samples, batch, leafSize } = this.state.settings;
    return leafCount(stepPlace(step, samples, batch).size, leafSize);
  }

  later(channel: string, act: () => void): void {
    const waiting = this.channels.get(channel) ?? [];
    this.channels.set(channel, waiting);
    waiting.push(act);
  }

  connect(worker: SimulatedWorker): string {
    const link = `link ${this.connections++} of ${worker.name}`;
    this.links.set(link, worker);
    const { sharesMemory } = worker;
    this.later(`${link} up`, () =>
      this.tell({ kind: 'connected', id: link, nonce: NONCE, sharesMemory, address: link }),
    );
    return link;
  }

  toCoordinator(link: string, message: WorkerToCoordinator, sums: readonly string[]): void {
    const times =
      this.repeaters.has(this.links.get(link)?.name ?? '') && message.kind === 'partial-sums' ? 2 : 1;
    for (let i = 0; i < times; i++) {
      this.later(`${link} up`, () => {
        if (!this.links.has(link)) return;
        const buffers = sums.map((sum) => {
          this.buffers.set(++this.buffersUsed, sum);
          return this.buffersUsed;
        });
        this.tell({ kind: 'received', id: link, message, buffers });
      });
    }
  }

  hangUp(link: string): void {
    // After the messages that were sent before.
    this.later(`${link} up`, () => this.cut(link, 'hung up'));
  }

  /** Now and then a fault happens, a worker joins, or time passes. */
  private injectFault(): void {
    const { random } = this;
    const remote = [...this.links].filter(([, worker]) => !worker.sharesMemory);
    const [victim] = remote[random.below(remote.length)] ?? [];
    if (victim !== undefined && random.chance(0.01)) this.cut(victim, 'the cable was pulled');
    if (victim !== undefined && random.chance(0.005)) this.kill(victim);
    if (random.chance(0.01) && this.workers.length < 40) this.add(false);
    if (random.chance(0.05)) {
      this.nowMs += 500;
      this.tell({ kind: 'tick', secret: 's' });
    }
  }

  /** A machine is gone at once: only the end of its link shows it. */
  private kill(link: string): void {
    const worker = this.links.get(link);
    if (worker === undefined) return;
    for (const [channel, waiting] of this.channels)
      if (channel.startsWith(`${worker.name} `)) waiting.length = 0;
    this.links.delete(link);
    this.later(`${link} up`, () => this.tell({ kind: 'disconnected', id: link, reason: 'killed' }));
  }

  /** A link breaks: messages in flight are lost, and each end notices in its own time. */
  private cut(link: string, reason: string): void {
    const worker = this.links.get(link);
    if (worker === undefined) return;
    this.links.delete(link);
    this.channels.delete(`${link} down`);
    this.later(`${link} up`, () => this.tell({ kind: 'disconnected', id: link, reason }));
    this.later(`${link} down`, () => worker.cut(link, reason));
  }

  private tell(message: CoordinatorMessage): void {
    if (this.complete !== undefined) return;
    for (const effect of coordinate(this.state, message, this.nowMs).effects) this.perform(effect);
  }

  private perform(effect: CoordinatorEffect): void {
    const report = (message: () => CoordinatorMessage): void =>
      this.later('executor', () => this.tell(message()));
    switch (effect.kind) {
      case 'send': {
        const { id, message, attachment } = effect;
        const worker = this.links.get(id);
        const payload =
          attachment === 'weights' || attachment === 'kept-weights'
            ? Uint8Array.of(this.state.training.step)
            : new Uint8Array(0);
        if (worker !== undefined)
          this.later(`${id} down`, () => worker.tell({ kind: 'received', message, payload }));
        return;
      }
      case 'send-chunk': {
        const { id, index } = effect;
        const message = { kind: 'chunk', index } as const;
        this.later(`${id} down`, () => {
          this.links.get(id)?.tell({ kind: 'received', message, payload: new Uint8Array(0) });
          this.tell({ kind: 'chunk-sent', id });
        });
        return report(() => ({ kind: 'data-due' }));
      }
      case 'drop':
        // After the messages that were sent before, such as the reason.
        return this.later(`${effect.id} down`, () => this.cut(effect.id, effect.reason));
      case 'execute':
        return report(() => this.execute(effect));
      case 'interrupt-execution':
        this.isInterrupted = true;
        return;
      case 'finish':
        return report(() => this.finish(effect));
      case 'compare': {
        const hashes = effect.answers.map(({ memberId, partialSums }) => ({
          memberId,
          hash: partialSums.map(({ buffer }) => this.buffers.get(buffer)).join(),
        }));
        const parameter = hashes.some(({ hash }) => hash !== hashes[0]?.hash) ? 'w' : undefined;
        const { step, task } = effect;
        return report(() => ({ kind: 'compared', step, task, hashes, parameter }));
      }
      case 'wake':
        return report(() => ({ kind: 'woken' }));
      case 'release':
        return this.release(effect.buffers);
      case 'evaluate':
        return report(() => ({ kind: 'evaluated', means: { loss: 1 } }));
      case 'complete':
        this.complete = effect.reason;
        return;
    }
  }

  private execute({
    step,
    shares,
    scalars,
  }: Extract<CoordinatorEffect, { kind: 'execute' }>): CoordinatorMessage {
    const covered = shares.flatMap(({ range }) =>
      Array.from({ length: range.to - range.from }, (_, i) => range.from + i),
    );
    const done = this.isInterrupted ? this.random.below(scalars.length + 1) : scalars.length;
    this.isInterrupted = false;
    for (let i = 0; i < done; i++) {
      const all = Array.from({ length: this.leavesOf(step + i) }, (_, leaf) => leaf);
      if (covered.join() !== all.join())
        throw new Error(`step ${step + i} executes the leaves ${covered} of ${all}`);
    }
    return { kind: 'executed', metrics: new Array(done).fill([0]), elapsedMs: done };
  }

  private finish({ step, arrived }: Extract<CoordinatorEffect, { kind: 'finish' }>): CoordinatorMessage {
    const leaves = this.leavesOf(step);
    const sums = new Map(arrived.map(({ node, buffer }) => [nodeKey(node), this.buffers.get(buffer)]));
    const { adds } = mergePlan(
      arrived.map(({ node }) => node),
      leaves,
    );
    for (const { into, left, right } of adds)
      sums.set(nodeKey(into), `(${sums.get(nodeKey(left))}+${sums.get(nodeKey(right))})`);
    const root = sums.get(nodeKey({ level: rootLevel(leaves), index: 0 }));
    const canonical = expression(step, { level: rootLevel(leaves), index: 0 }, leaves);
    if (root !== canonical) throw new Error(`step ${step} summed ${root} instead of ${canonical}`);
    this.roots.set(step, root);
    this.release(arrived.map(({ buffer }) => buffer));
    return { kind: 'finished', metrics: [0] };
  }

  private release(buffers: readonly number[]): void {
    for (const buffer of buffers)
      if (!this.buffers.delete(buffer)) throw new Error(`buffer ${buffer} was released twice`);
  }
}
