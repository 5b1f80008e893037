import { activeWorkers, isStraggler } from '../coordinator/scheduling/scheduling-state.js';
import type { RunEvent } from '../coordinator/state/observer.js';
import type { VirtualCluster } from './virtual-cluster.js';
import { VirtualRelay } from './virtual-relay.js';
import type { VirtualWorker } from './virtual-worker.js';

/** Time between two checks. */
const CHECK_EVERY_MS = 500;
/**
 * Longest time that a step may take while an honest worker is reachable: it may have to wait for several others that die one
 * after the other.
 */
const PROGRESS_MS = 10_000;
/**
 * Longest time in which the run may repeat steps that it has rolled back, without getting further than before: this, and so much
 * for each step that it may have to repeat, as slow machines with slow links need it.
 */
const REPEAT_MS = 60_000;
const REPEATED_STEP_MS = 100;
/** Most partial sums, tasks, straggler tasks and waiting ranges for each member. */
const BUFFERS_MAX = 128;
const TASKS_MAX = 64;
const STRAGGLER_TASKS_MAX = 64;
const WAITING_MAX = 64;

/**
 * Checks a virtual cluster. At regular times: queues stay within their bounds, and the run progresses. At events: what the
 * coordinator reports about its state is true. The sums of each step are checked where the step is computed
 * (virtual-executor.ts).
 * @throws Error from within the cluster's clock
 */
export class Invariants {
  /** Since when each worker is reachable and honest. */
  private readonly reachableMs = new Map<string, number>();
  /** The largest number of steps that the run had done, and since when. */
  private furthest = { step: 0, sinceMs: 0 };
  /** Steps done in the latest state that was reported as durable; -1 when there is none. */
  private durableStep = -1;

  /** @param progressMs longest time that a step may take while an honest worker is reachable */
  constructor(
    private readonly cluster: VirtualCluster,
    private readonly progressMs = PROGRESS_MS,
  ) {
    cluster.onReport = (event) => this.onReport(event);
    cluster.onRemoval = () => {
      this.durableStep = -1;
    };
    cluster.onResumed = (step) => this.checkDurability(step);
    cluster.onLocalStep = (step) => this.checkInterruption(step);
    this.schedule();
  }

  private schedule(): void {
    this.cluster.clock.after(CHECK_EVERY_MS, () => {
      if (this.cluster.coordinator.isComplete) return;
      this.checkBounds();
      this.checkProgress();
      this.schedule();
    });
  }

  private onReport(event: RunEvent): void {
    if (event.event === 'checkpoint') this.durableStep = event.step;
  }

  /** A restarted coordinator continues from a checkpoint that is at least as new as the latest that was reported. */
  private checkDurability(step: number): void {
    if (step < this.durableStep)
      throw new Error(
        `the run resumes at step ${step}, though step ${this.durableStep} was reported as durable`,
      );
  }

  /**
   * Where every remote member is given work, an execution ends before the next step as soon as one has rehearsed. Where only
   * members that make the run faster are given work (`auto`), an execution may continue: see onHelpReturned in
   * coordinator/training-loop.ts.
   */
  private checkInterruption(step: number): void {
    const { coordinator, scenario } = this.cluster;
    if (scenario.placement === 'auto') return;
    const ignored = activeWorkers(coordinator.state.scheduling).find(
      (worker) => !worker.member.sharesMemory && !isStraggler(worker),
    );
    if (ignored !== undefined)
      throw new Error(
        `local workers execute step ${step} alone, though ${ignored.member.name} has rehearsed`,
      );
  }

  private checkBounds(): void {
    const { coordinator, workers } = this.cluster;
    const { workers: records, current } = coordinator.state.scheduling;
    const check = (what: string, count: number, most: number): void => {
      if (count > most) throw new Error(`${count} ${what}, more than ${most}`);
    };
    const members = records.size + 1;
    check('partial sums are held', coordinator.executor.buffersInUse, BUFFERS_MAX * members);
    check('tasks in one step', current?.tasks.size ?? 0, TASKS_MAX * members);
    for (const { member, stragglerTasks } of records.values())
      check(`straggler tasks of ${member.name}`, stragglerTasks.length, STRAGGLER_TASKS_MAX);
    for (const worker of workers)
      if (worker instanceof VirtualRelay)
        check(`sums are held by ${worker.name}`, worker.held.sums, BUFFERS_MAX * (worker.held.members + 1));
    for (const worker of workers)
      if (!worker.isDead)
        check(`ranges wait at ${worker.name}`, worker.state.workQueue.waiting.length, WAITING_MAX);
  }

  private checkProgress(): void {
    const { coordinator, workers, clock, scenario } = this.cluster;
    const nowMs = clock.nowMs();
    /** By member of the coordinator: workers below one relay are one member. */
    const sinceOf = new Map<string, number>();
    for (const worker of workers) {
      if (worker.isDead || worker.relays) continue;
      const { name, isReachable, isFlawed } = worker;
      if (!isReachable || isFlawed) this.reachableMs.delete(name);
      else {
        const reachableMs = this.reachableMs.get(name) ?? nowMs;
        this.reachableMs.set(name, reachableMs);
        const member = this.memberAbove(worker);
        sinceOf.set(member, Math.min(reachableMs, sinceOf.get(member) ?? reachableMs));
      }
    }
    const since = [...sinceOf.values()];
    // Where workers lie and none is local, two must agree.
    const needed = scenario.misbehaviours.length > 0 && scenario.locals === 0 ? 2 : 1;
    if (since.length < Math.max(needed, coordinator.state.training.step === 0 ? scenario.minWorkers : 0))
      return;
    const ableMs = since.sort((a, b) => a - b)[needed - 1] as number;
    const { step } = coordinator.state.training;
    // Each relay on the way adds what it takes to notice that one of its own is gone.
    const progressMs = this.progressMs * (1 + (scenario.relays ?? 0));
    if (nowMs - Math.max(ableMs, coordinator.steppedMs) > progressMs)
      throw new Error(
        `the run makes no progress in step ${step}, though enough members are reachable since ${ableMs} ms`,
      );
    if (step > this.furthest.step) this.furthest = { step, sinceMs: nowMs };
    const repeatMs = REPEAT_MS + REPEATED_STEP_MS * this.furthest.step;
    if (nowMs - Math.max(ableMs, this.furthest.sinceMs) > repeatMs)
      throw new Error(
        `the run repeats steps since ${this.furthest.sinceMs} ms and does not get beyond step ${this.furthest.step}`,
      );
  }

  /** The member of the coordinator that a worker is, or is below. */
  private memberAbove({ name, above }: Pick<VirtualWorker, 'name' | 'above'>): string {
    if (above === undefined) return name;
    return this.memberAbove(
      this.cluster.workers.find((one) => one.name === above) ?? { name: above, above: undefined },
    );
  }
}
