/*
 * Connections that have not authenticated yet. Their number is bounded. When it is exceeded, the oldest connection from the
 * busiest network is closed. So silent connections, however many one machine opens, only displace each other. A worker
 * authenticates within a round trip, long before so many others have connected after it.
 */
import type { Socket } from 'node:net';

/** Connections that have not authenticated, at one time. Each may hold UNAUTHENTICATED_BYTES_MAX. */
export const UNAUTHENTICATED_PEERS_MAX = 256;

/** Groups of an IPv6 address that name its network: a host usually has all 2^64 addresses of its network. */
const NETWORK_GROUPS = 4;

/** A connection that has not authenticated yet. */
interface UnauthenticatedPeer {
  network: string;
  /** Closes the connection. */
  close: () => void;
}

/** The unauthenticated peers of a server. */
export class UnauthenticatedPeers {
  /** By address; the oldest comes first. */
  readonly #peers = new Map<string, UnauthenticatedPeer>();
  readonly #most: number;

  /** @param most connections, if these are fewer than UNAUTHENTICATED_PEERS_MAX */
  constructor(most = UNAUTHENTICATED_PEERS_MAX) {
    this.#most = Math.min(most, UNAUTHENTICATED_PEERS_MAX);
  }

  /** A connection was opened. It counts as unauthenticated until `remove`, or until it is closed. */
  add(socket: Socket): void {
    const peer = peerOf(socket);
    const added = {
      network: networkOf(socket.remoteAddress ?? ''),
      close: () => socket.destroy(),
    };
    this.#peers.set(peer, added);
    socket.once('close', () => {
      if (this.#peers.get(peer) === added) this.#peers.delete(peer);
    });
    if (this.#peers.size > this.#most) this.#makeRoom();
  }

  /** The connection now has an owner, which closes it in its own way. */
  setClose(socket: Socket, close: () => void): void {
    const peer = this.#peers.get(peerOf(socket));
    if (peer !== undefined) peer.close = close;
  }

  /** A proxy connects for somebody else, whose network this is. */
  setNetwork(socket: Socket, network: string): void {
    const peer = this.#peers.get(peerOf(socket));
    if (peer !== undefined) peer.network = network;
  }

  /** The peer has authenticated. */
  remove(socket: Socket): void {
    this.#peers.delete(peerOf(socket));
  }

  #makeRoom(): void {
    const all = [...this.#peers];
    const index = indexToClose(all.map(([, { network }]) => network));
    const [address, { close }] = all[index] as [string, UnauthenticatedPeer];
    this.#peers.delete(address);
    close();
  }
}

/**
 * Which connection to close when there is one too many: the oldest from the busiest network. If several networks have the
 * most connections, it is the oldest of all of these. The latest connection is closed only if there is no other.
 * @param networks the networks of the connections, the oldest first; not empty
 * @returns its index
 */
export function indexToClose(networks: readonly string[]): number {
  const counts = new Map<string, number>();
  for (const network of networks) counts.set(network, (counts.get(network) ?? 0) + 1);
  const most = Math.max(...counts.values());
  return networks.findIndex((network) => counts.get(network) === most);
}

/**
 * What counts as one network: an IPv4 address, or the /64 network of an IPv6 address.
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

/** Identifies a peer by address and port: an encrypted connection has those of the socket that it runs over. */
function peerOf({ remoteAddress, remotePort }: Socket): string {
  return `${remoteAddress} ${remotePort}`;
}
