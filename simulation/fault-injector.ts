import { crash, cut, flipMemory, flipPayload, halfOpen, isolate, pause } from './faults.js';
import { COORDINATOR_FAULTS, type Fault, HONEST } from './plan.js';
import type { VirtualCluster } from './virtual-cluster.js';
import type { VirtualWorker } from './virtual-worker.js';

/** No fault is injected after this time; from then on every honest worker can work. */
const FAULTS_MS = 20_000;
/** Longest isolation and pause of a machine, and longest delay of the frames of a half-open connection. */
const ISOLATED_MS_MAX = 6000;
const PAUSED_MS_MAX = 5000;
const HALF_OPEN_MS_MAX = 3000;
/** Longest time until a machine is replaced or restarted. */
const REPLACED_MS_MAX = 2000;

/** Longest time for which a disk is slow or full, and for which the coordinator is down. */
const DISK_MS_MAX = 3000;
const DOWN_MS_MAX = 2000;

/** Injects faults into a virtual cluster at random times. The scenario decides which, its seed decides when. */
export class FaultInjector {
  /** Machines that have joined; the number is part of the next one's name. */
  private machines = 0;
  /** What is injected into workers; they lie by themselves. */
  private readonly workerFaults: readonly Fault[];
  private readonly coordinatorFaults: readonly Fault[];

  constructor(private readonly cluster: VirtualCluster) {
    const { faults } = cluster.scenario;
    this.coordinatorFaults = COORDINATOR_FAULTS.filter((fault) => faults.includes(fault));
    this.workerFaults = faults.filter((fault) => fault !== 'lie' && !this.coordinatorFaults.includes(fault));
    cluster.onEnded = (worker, exitReason) => this.onEnded(worker, exitReason);
  }

  /** All workers of the scenario join, most of them at once and some later; then faults begin. */
  start(): void {
    const { workers, locals, relays = 0 } = this.cluster.scenario;
    for (let i = 1; i <= locals; i++) this.cluster.join(`local-${i}`, { sharesMemory: true });
    for (let i = 1; i <= relays; i++) {
      const above = i > 1 && this.cluster.random.chance(0.5) ? 1 + this.cluster.random.below(i - 1) : 0;
      this.cluster.join(`relay-${i}`, { relays: true, above: relayName(above) });
    }
    for (let i = 0; i < workers; i++) this.add();
    if (this.workerFaults.length > 0) this.scheduleNext();
  }

  /** A new machine joins. */
  private add(): void {
    const { random, scenario } = this.cluster;
    const afterMs = random.chance(0.2) ? random.below(3000) : random.below(20);
    const misbehaviour = scenario.misbehaviours[this.machines] ?? HONEST;
    const { relays = 0 } = scenario;
    const above = relays > 0 ? relayName(random.below(relays + 1)) : undefined;
    this.cluster.join(`worker-${++this.machines}`, { afterMs, misbehaviour, above });
  }

  /** @throws Error when an honest worker is refused, or a worker fails */
  private onEnded(worker: VirtualWorker, exitReason: string): void {
    // A machine that was wrong may be kept out when it has been restarted.
    const wasFlawed = this.cluster.workers.some(({ name, isFlawed }) => name === worker.name && isFlawed);
    if (exitReason.startsWith('refused') && !wasFlawed && worker.misbehaviour === HONEST)
      throw new Error(`${worker.name} is honest and was ${exitReason}`);
    if (exitReason.startsWith('failed')) throw new Error(`${worker.name} ${exitReason}`);
    if (this.cluster.coordinator.isComplete) return;
    if (worker.misbehaviour.returns !== undefined) this.rejoin(worker);
    else if (worker.relays) this.restart(worker);
    else if (this.workerFaults.length > 0) this.add();
  }

  /** A hostile worker joins again. */
  private rejoin({ name, address, misbehaviour, above }: VirtualWorker): void {
    const { cluster } = this;
    const isAlias = misbehaviour.returns === 'new-name';
    cluster.count(isAlias ? 'alias' : 'return', name);
    cluster.join(isAlias ? `worker-${++this.machines}` : name, {
      afterMs: cluster.random.below(REPLACED_MS_MAX),
      ...{ misbehaviour, address, above },
    });
  }

  /** The same machine again: it has lost its memory and keeps its name and its misbehaviour. */
  private restart({ name, misbehaviour, address, above, relays }: VirtualWorker): void {
    const { cluster } = this;
    const afterMs = cluster.random.below(REPLACED_MS_MAX);
    cluster.join(name, { afterMs, misbehaviour, address, above, relays });
  }

  private scheduleNext(): void {
    const { clock, random, workers, scenario } = this.cluster;
    clock.after(1 + random.below(2 * scenario.faultEveryMs), () => {
      if (clock.nowMs() > FAULTS_MS || this.cluster.coordinator.isComplete) return;
      if (this.coordinatorFaults.length > 0 && random.chance(scenario.coordinatorFaultChance)) {
        this.injectCoordinatorFault(
          this.coordinatorFaults[random.below(this.coordinatorFaults.length)] as Fault,
        );
        return this.scheduleNext();
      }
      const alive = workers.filter(({ isDead, sharesMemory }) => !isDead && !sharesMemory);
      const worker = alive[random.below(alive.length)];
      if (worker !== undefined)
        this.injectWorkerFault(
          worker,
          this.workerFaults[random.below(this.workerFaults.length)] as Fault,
          alive,
        );
      this.scheduleNext();
    });
  }

  private injectWorkerFault(worker: VirtualWorker, fault: Fault, alive: readonly VirtualWorker[]): void {
    const { cluster } = this;
    const { random, clock } = cluster;
    cluster.count(fault, worker.name);
    switch (fault) {
      case 'cut':
        return cut(worker);
      case 'half-open':
        return halfOpen(cluster, worker, random.below(HALF_OPEN_MS_MAX));
      case 'partition': {
        // One machine, or all machines behind one cable.
        const others = random.chance(0.5) ? alive.filter(() => random.chance(0.5)) : [];
        return isolate(cluster, [worker, ...others], random.below(ISOLATED_MS_MAX));
      }
      case 'pause':
        return pause(cluster, worker, random.below(PAUSED_MS_MAX));
      case 'crash':
        crash(worker, random.chance(0.5));
        if (worker.misbehaviour.returns !== undefined) return this.rejoin(worker);
        if (worker.relays) return this.restart(worker);
        return void clock.after(random.below(REPLACED_MS_MAX), () => this.add());
      case 'restart':
        crash(worker, random.chance(0.5));
        return this.restart(worker);
      case 'leave':
        return worker.tell({ kind: 'leave' });
      case 'payload-flip':
        return flipPayload(worker);
      case 'memory-flip':
        return flipMemory(cluster, worker);
    }
  }

  private injectCoordinatorFault(fault: Fault): void {
    const { cluster } = this;
    const { random, clock, disk } = cluster;
    cluster.count(fault, 'coordinator');
    const forAWhile = (condition: 'isSlow' | 'isFull'): void => {
      disk[condition] = true;
      clock.after(random.below(DISK_MS_MAX), () => {
        disk[condition] = false;
      });
    };
    switch (fault) {
      case 'coordinator-crash':
      case 'power-loss':
        return cluster.crashCoordinator(fault === 'power-loss', random.below(DOWN_MS_MAX));
      case 'slow-disk':
        return forAWhile('isSlow');
      case 'full-disk':
        return forAWhile('isFull');
    }
  }
}

/** The name of a relay. @param number 0: the coordinator is meant, which has none */
function relayName(number: number): string | undefined {
  return number === 0 ? undefined : `relay-${number}`;
}
