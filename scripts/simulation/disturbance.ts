import { crash, cut, flipMemory, flipPayload, isolate, linger, pause } from './harm.js';
import { DURABLE, type Fault } from './plan.js';
import type { VirtualNode } from './virtual-node.js';
import type { World } from './world.js';

/** Faults stop after this time; from then on everyone who is honest can work. */
const FAULTS_MS = 20_000;
/** Mean time between two faults. */
const FAULT_EVERY_MS = 60;
/** Longest time for which nothing reaches a machine, or it stands still, or frames are held up. */
const ISOLATED_MS = 6000;
const PAUSED_MS = 5000;
const HELD_UP_MS = 3000;
/** Longest time until a machine is there again, or another in its place. */
const REPLACED_MS = 2000;

/** Longest time for which a disk is slow or full, and the coordinator's machine is down; and how many faults are of those. */
const DISK_MS = 3000;
const DOWN_MS = 2000;
const OF_COORDINATOR = 0.06;

/** Lets things go wrong, now and then, as the seed of a world has it. */
export class Disturbance {
  private names = 0;
  /** What befalls a node from outside; it lies by itself. */
  private readonly faults: readonly Fault[];
  /** What befalls the coordinator. */
  private readonly grave: readonly Fault[];

  constructor(private readonly world: World) {
    const { faults } = world.setting;
    this.grave = DURABLE.filter((fault) => faults.includes(fault));
    this.faults = faults.filter((fault) => fault !== 'lie' && !this.grave.includes(fault));
    world.onEnded = (node, ending) => this.ended(node, ending);
  }

  /** All machines of the setting join, most at once, some late; and from then on nothing is certain. */
  begin(): void {
    const { workers, locals } = this.world.setting;
    for (let i = 1; i <= locals; i++) this.world.join(`local-${i}`, { sharesMemory: true });
    for (let i = 0; i < workers; i++) this.add();
    if (this.faults.length > 0) this.disturbLater();
  }

  /** A machine that nobody has seen before. */
  private add(): void {
    const { random, setting } = this.world;
    const afterMs = random.chance(0.2) ? random.below(3000) : random.below(20);
    const node = this.world.join(`node-${++this.names}`, { afterMs });
    if (this.names <= setting.liars) node.lieChance = setting.lieChance;
  }

  private ended(node: VirtualNode, ending: string): void {
    if (ending.startsWith('refused') && !node.isFlawed)
      throw new Error(`${node.name} is honest and was ${ending}`);
    if (ending.startsWith('failed')) throw new Error(`${node.name} ${ending}`);
    if (this.faults.length > 0 && !this.world.coordinator.isComplete) this.add();
  }

  private disturbLater(): void {
    const { clock, random, nodes } = this.world;
    clock.after(1 + random.below(2 * FAULT_EVERY_MS), () => {
      if (clock.nowMs() > FAULTS_MS || this.world.coordinator.isComplete) return;
      if (this.grave.length > 0 && random.chance(OF_COORDINATOR)) {
        this.harmCoordinator(this.grave[random.below(this.grave.length)] as Fault);
        return this.disturbLater();
      }
      const alive = nodes.filter(({ isDead, sharesMemory }) => !isDead && !sharesMemory);
      const node = alive[random.below(alive.length)];
      if (node !== undefined) this.harm(node, this.faults[random.below(this.faults.length)] as Fault, alive);
      this.disturbLater();
    });
  }

  private harm(node: VirtualNode, fault: Fault, alive: readonly VirtualNode[]): void {
    const { world } = this;
    const { random, clock } = world;
    world.count(fault, node.name);
    switch (fault) {
      case 'cut':
        return cut(node);
      case 'linger':
        return linger(world, node, random.below(HELD_UP_MS));
      case 'partition': {
        // One machine, or everything behind one cable.
        const others = random.chance(0.5) ? alive.filter(() => random.chance(0.5)) : [];
        return isolate(world, [node, ...others], random.below(ISOLATED_MS));
      }
      case 'pause':
        return pause(world, node, random.below(PAUSED_MS));
      case 'crash':
        crash(node, random.chance(0.5));
        return void clock.after(random.below(REPLACED_MS), () => this.add());
      case 'restart':
        crash(node, random.chance(0.5));
        // The same machine: it remembers nothing, but is what it was.
        world.join(node.name, { afterMs: random.below(REPLACED_MS) }).lieChance = node.lieChance;
        return;
      case 'leave':
        return node.tell({ kind: 'leave' });
      case 'payload-flip':
        return flipPayload(node);
      case 'memory-flip':
        return flipMemory(world, node);
    }
  }

  private harmCoordinator(fault: Fault): void {
    const { world } = this;
    const { random, clock, disk } = world;
    world.count(fault, 'coordinator');
    const forAWhile = (what: 'isSlow' | 'isFull'): void => {
      disk[what] = true;
      clock.after(random.below(DISK_MS), () => {
        disk[what] = false;
      });
    };
    switch (fault) {
      case 'coordinator-crash':
      case 'power-loss':
        return world.crashCoordinator(fault === 'power-loss', random.below(DOWN_MS));
      case 'slow-disk':
        return forAWhile('isSlow');
      case 'full-disk':
        return forAWhile('isFull');
    }
  }
}
