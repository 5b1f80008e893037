import { createServer, type Server } from 'node:http';
import { createServer as createTlsServer } from 'node:https';
import { type AddressInfo, isIP, type Socket } from 'node:net';
import { networkInterfaces } from 'node:os';
import { UserError } from '../errors.js';
import { hostAndPort } from '../protocol/join-url.js';
import type { Certificate } from './certificate.js';

/** Where to listen. */
export interface ListenAddress {
  /** A name, an IPv4 address, or an IPv6 address without brackets. */
  readonly host: string;
  /** 0: any free one. */
  readonly port: number;
}

/** Connections of all kinds at one time. */
const CONNECTIONS_MAX = 4096;
/** Of these from one address, so that one machine cannot take all places. */
export const CONNECTIONS_PER_ADDRESS_MAX = 512;
/** How long a request may take to arrive: who sends it byte by byte is cut off. */
const REQUEST_WAIT_MS = 10_000;
/** Bytes of a request's head; ours have some hundred. */
const REQUEST_HEAD_BYTES_MAX = 8192;

/** Reason and mend for what the system refuses. */
const REFUSALS: Readonly<Record<string, string>> = {
  EADDRINUSE: 'the port is in use; choose another, or 0 for any free one',
  EADDRNOTAVAIL: 'this machine has no such address; choose one of its own, 127.0.0.1 or 0.0.0.0',
  EACCES: 'ports below 1024 need special rights; choose a higher one',
  ENOTFOUND: 'the name is unknown; write an address such as 127.0.0.1 or 0.0.0.0',
  EAI_AGAIN: 'the name is unknown; write an address such as 127.0.0.1 or 0.0.0.0',
};

/**
 * Reads "host:port", as in 127.0.0.1:7070, [::1]:7070, or 0.0.0.0:0 for any free port.
 * @throws UserError that says how to write it
 */
export function parseListenAddress(text: string): ListenAddress {
  const match = /^(?:\[([0-9a-fA-F:.]+)\]|([A-Za-z0-9.-]{1,253})):([0-9]{1,5})$/.exec(text.trim());
  const host = match?.[1] ?? match?.[2] ?? '';
  const port = Number(match?.[3]);
  if (match === null || port > 65_535 || (match[1] !== undefined && isIP(host) !== 6)) {
    throw new UserError(`"${text}" is no address to listen on; write host:port, such as 127.0.0.1:7070`, 2);
  }
  return { host, port };
}

/** Whether a host to listen on can be reached from this machine only. */
export function isLoopback(host: string): boolean {
  return host === 'localhost' || host === '::1' || (isIP(host) === 4 && host.startsWith('127.'));
}

/** A server that listens. */
export interface Listening {
  readonly server: Server;
  /** The port it got. */
  readonly port: number;
  /** Cuts off whoever is still connected and gives the port back. */
  close(): Promise<void>;
}

/**
 * Starts an HTTP server that answers nothing yet.
 * @param certificate connections are encrypted (TLS 1.3); left out: they are not
 * @throws UserError when the address cannot be had
 */
export function listen(address: ListenAddress, certificate?: Certificate): Promise<Listening> {
  const limits = {
    maxHeaderSize: REQUEST_HEAD_BYTES_MAX,
    headersTimeout: REQUEST_WAIT_MS,
    requestTimeout: REQUEST_WAIT_MS,
    connectionsCheckingInterval: REQUEST_WAIT_MS / 4,
  };
  const server =
    certificate === undefined
      ? createServer(limits)
      : createTlsServer({
          ...{ ...limits, handshakeTimeout: REQUEST_WAIT_MS, minVersion: 'TLSv1.3' },
          ...{ cert: certificate.certificate, key: certificate.key },
        });
  server.maxConnections = CONNECTIONS_MAX;
  const sockets = boundConnections(server);
  return new Promise((resolve, reject) => {
    server.once('error', (error: NodeJS.ErrnoException) => {
      const why = REFUSALS[error.code ?? ''] ?? `${error.message}; choose another address`;
      reject(new UserError(`cannot listen on ${hostAndPort(address)}: ${why}`));
    });
    server.listen({ host: address.host, port: address.port, exclusive: true }, () => {
      server.removeAllListeners('error');
      resolve({
        server,
        port: (server.address() as AddressInfo).port,
        close: () =>
          new Promise((closed) => {
            server.close(() => closed());
            // Whoever never finishes a request, or a handshake, would keep the port for as long as that may take.
            for (const socket of sockets) socket.destroy();
          }),
      });
    });
  });
}

/** Cuts off whoever connects from an address that has too many connections. @returns the others, as they come and go */
function boundConnections(server: Server): ReadonlySet<Socket> {
  const sockets = new Set<Socket>();
  const byAddress = new Map<string, number>();
  server.on('connection', (socket: Socket) => {
    const { remoteAddress = '' } = socket;
    const count = (byAddress.get(remoteAddress) ?? 0) + 1;
    if (count > CONNECTIONS_PER_ADDRESS_MAX) return socket.destroy();
    sockets.add(socket);
    byAddress.set(remoteAddress, count);
    socket.once('close', () => {
      sockets.delete(socket);
      const left = (byAddress.get(remoteAddress) ?? 1) - 1;
      if (left > 0) byAddress.set(remoteAddress, left);
      else byAddress.delete(remoteAddress);
    });
  });
  return sockets;
}

/**
 * The host to tell others: where a server listens, or, when it listens on all of the machine's addresses, the one that
 * other machines most likely reach it by.
 */
export function reachableHost(host: string): string {
  if (host !== '0.0.0.0' && host !== '::') return host;
  const addresses = Object.values(networkInterfaces()).flatMap((list) => list ?? []);
  const outward = addresses.find(({ internal, family }) => !internal && family === 'IPv4');
  return outward?.address ?? '127.0.0.1';
}
