import type { World } from './world.js';

/** How often the world is looked at. */
const LOOK_MS = 500;
/** A step may take so long while someone who is honest can be reached: to wait for others who die one after the other. */
const PROGRESS_MS = 10_000;
/** Most that may wait or lie around, for each member. */
const SLOTS_MAX = 128;
const TASKS_MAX = 64;
const LATE_MAX = 64;
const WAITING_MAX = 64;

/**
 * Looks at a world all along. What a step is given is checked where it is done (virtual-workshop.ts).
 * @throws Error (from within the world's clock) when something piles up or the run stands still without need
 */
export class Watch {
  /** Since when each node can do what it is told. */
  private readonly reachableMs = new Map<string, number>();

  constructor(private readonly world: World) {
    this.look();
  }

  private look(): void {
    this.world.clock.after(LOOK_MS, () => {
      if (this.world.coordinator.isComplete) return;
      this.expectBounds();
      this.expectProgress();
      this.look();
    });
  }

  private expectBounds(): void {
    const { coordinator, nodes } = this.world;
    const { members, round } = coordinator.state;
    const bound = (what: string, count: number, most: number): void => {
      if (count > most) throw new Error(`${count} ${what}, more than ${most}`);
    };
    const most = members.size + 1;
    bound('sums lie around', coordinator.workshop.slotsInUse, SLOTS_MAX * most);
    bound('tasks in one round', round?.tasks.size ?? 0, TASKS_MAX * most);
    for (const member of members.values())
      bound(`late tasks of ${member.name}`, member.late.length, LATE_MAX);
    for (const node of nodes)
      if (!node.isDead) bound(`ranges wait at ${node.name}`, node.state.queue.length, WAITING_MAX);
  }

  private expectProgress(): void {
    const { coordinator, nodes, clock, setting } = this.world;
    const nowMs = clock.nowMs();
    const since: number[] = [];
    for (const node of nodes) {
      if (node.isDead) continue;
      const { name, isReachable, isFlawed } = node;
      if (!isReachable || isFlawed) this.reachableMs.delete(name);
      else {
        const begunMs = this.reachableMs.get(name) ?? nowMs;
        this.reachableMs.set(name, begunMs);
        since.push(begunMs);
      }
    }
    // Where members lie and nobody is to be believed by himself, two must say the same.
    const needed = setting.liars > 0 && setting.locals === 0 ? 2 : 1;
    if (since.length < Math.max(needed, coordinator.state.step === 0 ? setting.minWorkers : 0)) return;
    const ableMs = since.sort((a, b) => a - b)[needed - 1] as number;
    if (nowMs - Math.max(ableMs, coordinator.steppedMs) <= PROGRESS_MS) return;
    throw new Error(
      `the run stands still in step ${coordinator.state.step}, though members can be reached since ${ableMs} ms`,
    );
  }
}
