/*
 * How many new connections are served in a second. A TLS handshake takes half a millisecond of the coordinator's main
 * thread, and admitting a worker more than that, so a peer that connects in a loop could slow the run. Connections beyond the
 * rate wait before anything is read from them. Networks are served in turn. Of one network the latest connection is
 * served first, so a peer that connects after a flood does not wait for all of it.
 */
import type { Cancel, Clock } from '../actor/clock.js';

/** New connections that are served in a second, from all networks and from one. */
export const CONNECTIONS_PER_SECOND_MAX = 100;
export const NETWORK_CONNECTIONS_PER_SECOND_MAX = 20;
/** How many may come at once after a quiet time. */
export const CONNECTIONS_AT_ONCE_MAX = 200;
export const NETWORK_CONNECTIONS_AT_ONCE_MAX = 100;
/** Networks whose rate is kept. The one that was served the longest time ago is forgotten. */
const NETWORKS_MAX = 4096;
/** Shortest time until the gate looks again. */
const TURN_MS = 10;

/** A number of connections that may be served now; it grows with time up to a limit. */
class Allowance {
  #left: number;

  constructor(
    private readonly perSecond: number,
    private readonly most: number,
    private sinceMs: number,
  ) {
    this.#left = most;
  }

  /** Whether one more may be served. */
  allows(nowMs: number): boolean {
    this.#left = Math.min(this.most, this.#left + ((nowMs - this.sinceMs) * this.perSecond) / 1000);
    this.sinceMs = nowMs;
    return this.#left >= 1;
  }

  take(): void {
    this.#left -= 1;
  }
}

/** Lets new connections of a server in. */
export class ConnectionGate {
  readonly #all: Allowance;
  readonly #networks = new Map<string, Allowance>();
  /** What waits, by network; the network that was served the longest time ago first, the latest connection last. */
  readonly #waiting = new Map<string, (() => void)[]>();
  #cancelTurn: Cancel | undefined;

  constructor(private readonly clock: Clock) {
    this.#all = new Allowance(CONNECTIONS_PER_SECOND_MAX, CONNECTIONS_AT_ONCE_MAX, clock.nowMs());
  }

  /**
   * A connection has come. Calls `serve` at once or later.
   * @returns takes the connection out, if it still waits
   */
  enter(network: string, serve: () => void): Cancel {
    const queue = this.#waiting.get(network) ?? [];
    this.#waiting.set(network, queue);
    // Two connections are different entries even if they have the same function.
    const entry = (): void => serve();
    queue.push(entry);
    this.#serveAllowed();
    return () => {
      const index = queue.indexOf(entry);
      if (index >= 0) queue.splice(index, 1);
      if (queue.length === 0 && this.#waiting.get(network) === queue) this.#waiting.delete(network);
    };
  }

  /** Nothing that waits is served any more. */
  close(): void {
    this.#cancelTurn?.();
    this.#waiting.clear();
  }

  #serveAllowed(): void {
    const nowMs = this.clock.nowMs();
    for (let isServing = true; isServing; ) {
      isServing = false;
      for (const [network, queue] of [...this.#waiting]) {
        const allowance = this.#allowanceOf(network, nowMs);
        if (!this.#all.allows(nowMs) || !allowance.allows(nowMs)) continue;
        this.#all.take();
        allowance.take();
        const serve = queue.pop() as () => void;
        this.#waiting.delete(network);
        // Behind the others, which have waited for a longer time.
        if (queue.length > 0) this.#waiting.set(network, queue);
        isServing = true;
        serve();
      }
    }
    if (this.#waiting.size > 0) this.#cancelTurn ??= this.clock.after(TURN_MS, () => this.#turn());
  }

  #turn(): void {
    this.#cancelTurn = undefined;
    this.#serveAllowed();
  }

  #allowanceOf(network: string, nowMs: number): Allowance {
    const known =
      this.#networks.get(network) ??
      new Allowance(NETWORK_CONNECTIONS_PER_SECOND_MAX, NETWORK_CONNECTIONS_AT_ONCE_MAX, nowMs);
    this.#networks.delete(network);
    this.#networks.set(network, known);
    const [oldest] = this.#networks.keys();
    if (this.#networks.size > NETWORKS_MAX) this.#networks.delete(oldest as string);
    return known;
  }
}
