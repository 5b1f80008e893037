import { createServer, type Server } from 'node:http';
import { createServer as createTlsServer } from 'node:https';
import { type AddressInfo, isIP, type Socket } from 'node:net';
import { networkInterfaces } from 'node:os';
import { UserError } from '../errors.js';
import { hostAndPort } from '../protocol/join-url.js';
import type { Certificate } from './certificate.js';
import { Strangers } from './strangers.js';

/** Where to listen. */
export interface ListenAddress {
  /** A name, an IPv4 address, or an IPv6 address without brackets. */
  readonly host: string;
  /** 0: any free one. */
  readonly port: number;
}

/** Connections at one time; all but STRANGERS_MAX of them have proven the token. */
const CONNECTIONS_MAX = 4096;
/** How long a request may take to arrive: who sends it byte by byte is cut off. */
const REQUEST_WAIT_MS = 5000;
/** Bytes of a request's head; ours have some hundred. */
const REQUEST_HEAD_BYTES_MAX = 8192;
/** What a browser is told. */
const PLAIN_ANSWER = 'A run of Unisum. Workers join it with the line that it printed.\n';

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
  /** Connections that have proven nothing yet. */
  readonly strangers: Strangers;
  /** The port it got. */
  readonly port: number;
  /** Cuts off whoever is still connected and gives the port back. */
  close(): Promise<void>;
}

/**
 * Starts an HTTP server that has nothing to offer yet. Strangers in excess are cut off, see strangers.ts.
 * @param certificate connections are encrypted (TLS 1.3); left out: they are not
 * @throws UserError when the address cannot be had
 */
export function listen(address: ListenAddress, certificate?: Certificate): Promise<Listening> {
  const limits = {
    maxHeaderSize: REQUEST_HEAD_BYTES_MAX,
    headersTimeout: REQUEST_WAIT_MS,
    requestTimeout: REQUEST_WAIT_MS,
    connectionsCheckingInterval: REQUEST_WAIT_MS / 5,
  };
  const server =
    certificate === undefined
      ? createServer(limits)
      : createTlsServer({
          ...{ ...limits, handshakeTimeout: REQUEST_WAIT_MS, minVersion: 'TLSv1.3' },
          ...{ cert: certificate.certificate, key: certificate.key },
        });
  server.maxConnections = CONNECTIONS_MAX;
  const sockets = new Set<Socket>();
  const strangers = new Strangers();
  server.on('connection', (socket: Socket) => {
    sockets.add(socket);
    socket.once('close', () => sockets.delete(socket));
    strangers.welcome(socket);
  });
  // A request without an answer would keep its connection for ever.
  server.on('request', (_request, response) =>
    response
      .writeHead(404, {
        'content-type': 'text/plain',
        'content-length': PLAIN_ANSWER.length,
        connection: 'close',
      })
      .end(PLAIN_ANSWER),
  );
  return new Promise((resolve, reject) => {
    server.once('error', (error: NodeJS.ErrnoException) => {
      const why = REFUSALS[error.code ?? ''] ?? `${error.message}; choose another address`;
      reject(new UserError(`cannot listen on ${hostAndPort(address)}: ${why}`));
    });
    server.listen({ host: address.host, port: address.port, exclusive: true }, () => {
      server.removeAllListeners('error');
      resolve({
        server,
        strangers,
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
