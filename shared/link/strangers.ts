/*
 * Connections that have proven nothing yet. Their number is bounded, and whoever comes when all places are taken is let
 * in at the cost of another: the oldest from the network that holds the most places. So silent strangers, however many
 * one machine sends, keep out nobody but each other, and nothing need be known of who may be honest: a worker proves
 * itself within a round trip, long before so many others have come after it.
 */
import type { Socket } from 'node:net';

/** Connections that have proven nothing, at one time. Each may hold STRANGER_BYTES_MAX. */
export const STRANGERS_MAX = 256;

/** Groups of an IPv6 address that name a network: whoever has one address has 2^64. */
const NETWORK_GROUPS = 4;

/** A connection that has proven nothing yet. */
interface Stranger {
  readonly network: string;
  /** Ends the connection. */
  end: () => void;
}

/** The strangers at a port. */
export class Strangers {
  /** By peer; whoever has been here for longest comes first. */
  readonly #all = new Map<string, Stranger>();

  /** Someone has connected: it is a stranger until `forget`, or the end of the connection. */
  welcome(socket: Socket): void {
    const peer = peerOf(socket);
    const stranger = { network: networkOf(socket.remoteAddress ?? ''), end: () => socket.destroy() };
    this.#all.set(peer, stranger);
    socket.once('close', () => {
      if (this.#all.get(peer) === stranger) this.#all.delete(peer);
    });
    if (this.#all.size > STRANGERS_MAX) this.#makeRoom();
  }

  /** The connection has another owner now, who ends it by other means. */
  handOver(socket: Socket, end: () => void): void {
    const stranger = this.#all.get(peerOf(socket));
    if (stranger !== undefined) stranger.end = end;
  }

  /** The peer is a stranger no longer. */
  forget(socket: Socket): void {
    this.#all.delete(peerOf(socket));
  }

  #makeRoom(): void {
    const all = [...this.#all];
    const [peer, stranger] = all[whoMakesRoom(all.map(([, { network }]) => network))] as [string, Stranger];
    this.#all.delete(peer);
    stranger.end();
  }
}

/**
 * Who has to go when there is one stranger too many: the oldest from the network that has the most of them; where
 * several have as many, the oldest of these. The newcomer is among them, and goes only if it is alone.
 * @param networks of the strangers, the oldest first; not empty
 * @returns its place
 */
export function whoMakesRoom(networks: readonly string[]): number {
  const counts = new Map<string, number>();
  for (const network of networks) counts.set(network, (counts.get(network) ?? 0) + 1);
  const most = Math.max(...counts.values());
  return networks.findIndex((network) => counts.get(network) === most);
}

/**
 * What counts as one place that connections come from: an IPv4 address, or the /64 network of an IPv6 address.
 * @param address as node:net writes it
 */
export function networkOf(address: string): string {
  const plain = address.replace(/^::ffff:(?=\d+\.)/, '').replace(/%.*$/, '');
  if (!plain.includes(':')) return plain;
  const [head = [], tail] = plain.split('::').map((part) => part.split(':').filter((group) => group !== ''));
  const zeros = tail === undefined ? 0 : 8 - head.length - tail.length;
  const groups = [...head, ...Array<string>(Math.max(0, zeros)).fill('0'), ...(tail ?? [])];
  return `${groups.slice(0, NETWORK_GROUPS).join(':')}::/64`;
}

/** One word for a peer: also an encrypted connection, which is not the socket that it runs over, has its address and port. */
function peerOf({ remoteAddress, remotePort }: Socket): string {
  return `${remoteAddress} ${remotePort}`;
}
