import type { Clock } from '../../shared/actor/clock.js';
import type { SeededRandom } from '../../shared/actor/seeded-random.js';
import type { VirtualNode } from './virtual-node.js';

/* What befalls machines and their cables. */

/** What harm needs of the world. */
interface Chance {
  readonly clock: { nowMs(): number };
  readonly random: SeededRandom;
}

/** Its cable is pulled; both ends hear of it some time. */
export function cut({ link }: VirtualNode): void {
  link?.cut('the cable was pulled');
}

/** Its end of the connection breaks, and it connects anew, while the coordinator still takes the old one for good. */
export function linger({ random }: Chance, { link }: VirtualNode, ms: number): void {
  link?.linger(ms, () => random.chance(0.5));
}

/** Nothing reaches these machines, or comes from them, for a while. */
export function isolate({ clock }: Chance, nodes: readonly VirtualNode[], ms: number): void {
  for (const node of nodes) {
    node.isolatedUntilMs = Math.max(node.isolatedUntilMs, clock.nowMs() + ms);
    node.link?.stall(ms);
  }
}

/** The machine stands still, with all that was sent to it, and then goes on. */
export function pause({ clock }: Chance, node: VirtualNode, ms: number): void {
  node.pausedUntilMs = clock.nowMs() + ms;
}

/** The machine is gone. @param isSilent nobody hears anything of it, as without power; else its connections break */
export function crash(node: VirtualNode, isSilent: boolean): void {
  node.isDead = true;
  if (isSilent) node.link?.stall(Number.MAX_SAFE_INTEGER);
  else node.link?.cut('the machine is gone');
}

/** A bit of its weights is another. */
export function flipMemory({ random }: Chance, node: VirtualNode): void {
  if (node.weights < 0) return;
  node.isFlawed = true;
  node.weights = damaged(node.weights, random);
}

/** A bit of the next sums that it sends is another when they arrive. */
export function flipPayload(node: VirtualNode): void {
  node.flipsNext = true;
}

/** Sums of which one has another bit. */
export function flipped(
  node: Pick<VirtualNode, 'isFlawed' | 'flipsNext'>,
  sums: readonly number[],
  random: SeededRandom,
): readonly number[] {
  node.flipsNext = false;
  node.isFlawed = true;
  const at = random.below(sums.length);
  return sums.map((sum, i) => (i === at ? damaged(sum, random) : sum));
}

/**
 * A word stands for a vector of thousands, in which two machines do not come to have the same bit flipped. Here some of
 * its 32 are: with one, two that were struck would agree on what is wrong now and then, and be believed.
 */
function damaged(word: number, random: SeededRandom): number {
  return (word ^ (random.next() | 1)) >>> 0;
}

/** What goes wrong beside the clock's own acts is thrown by the next of them: whoever runs the clock must see it. */
export function rethrowIn(clock: Clock): (error: unknown) => void {
  return (error) =>
    void clock.after(0, () => {
      throw error;
    });
}
