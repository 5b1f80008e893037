import { createSocket } from 'node:dgram';
import { createServer, type IncomingMessage, type Server } from 'node:http';
import { createServer as createTlsServer } from 'node:https';
import { type AddressInfo, BlockList, isIP, type Socket } from 'node:net';
import { networkInterfaces } from 'node:os';
import type { Clock } from '../actor/clock.js';
import { UserError } from '../errors.js';
import { hostAndPort } from '../protocol/join-url.js';
import type { Certificate } from './certificate.js';
import { ConnectionGate } from './connection-gate.js';
import { clientAddress } from './forwarded.js';
import { connectionsFor, openFilesMax } from './open-files.js';
import { type Answer, type AnswerRequest, textAnswer } from './page-answers.js';
import { networkOf, UnauthenticatedPeers } from './unauthenticated-peers.js';

/** Where to listen. */
export interface ListenAddress {
  /** A name, an IPv4 address, or an IPv6 address without brackets. */
  readonly host: string;
  /** 0: any free port. */
  readonly port: number;
}

/** Connections at one time. At most UNAUTHENTICATED_PEERS_MAX of them have not proven that they know the token. */
const CONNECTIONS_MAX = 4096;
/** How long a request may take to arrive. A connection that sends it more slowly is closed. */
const REQUEST_WAIT_MS = 5000;
/** Most bytes of a request's head; those of our clients have some hundred. */
const REQUEST_HEAD_BYTES_MAX = 8192;
/** A connection that does not read its answer for so long is closed. */
const ANSWER_WAIT_MS = 10_000;
/** A connection that has not read all of its answer after so long is closed, even if it reads a byte now and then. */
const ANSWER_MS_MAX = 60_000;
/** The answer where there is no page. */
const NO_PAGE = textAnswer(404, 'A run of Unisum. Workers join it with the line that it printed.\n');

/** Reason and fix for errors of the system. */
const REFUSALS: Readonly<Record<string, string>> = {
  EADDRINUSE: 'the port is in use; choose another one, or 0 for any free port',
  EADDRNOTAVAIL: 'this machine has no such address; choose one of its own, 127.0.0.1 or 0.0.0.0',
  EACCES: 'ports below 1024 need special permissions; choose a higher one',
  ENOTFOUND: 'the name is unknown; write an address such as 127.0.0.1 or 0.0.0.0',
  EAI_AGAIN: 'the name is unknown; write an address such as 127.0.0.1 or 0.0.0.0',
};

/**
 * Reads "host:port", as in 127.0.0.1:7070, [::1]:7070, or 0.0.0.0:0 for any free port.
 * @throws UserError with the right form
 */
export function parseListenAddress(text: string): ListenAddress {
  const match = /^(?:\[([0-9a-fA-F:.]+)\]|([A-Za-z0-9.-]{1,253})):([0-9]{1,5})$/.exec(text.trim());
  const host = match?.[1] ?? match?.[2] ?? '';
  const port = Number(match?.[3]);
  if (match === null || port > 65_535 || (match[1] !== undefined && isIP(host) !== 6)) {
    throw new UserError(
      `"${text}" is not an address to listen on; write host:port, such as 127.0.0.1:7070`,
      2,
    );
  }
  return { host, port };
}

/** Whether a host to listen on can be reached from this machine only. */
export function isLoopback(host: string): boolean {
  return host === 'localhost' || host === '::1' || (isIP(host) === 4 && host.startsWith('127.'));
}

/** How to listen. */
interface ListenOptions {
  readonly clock: Clock;
  /** If given, connections are encrypted (TLS 1.3). */
  readonly certificate?: Certificate | undefined;
  /** Answers requests; what it does not answer is answered with 404. */
  readonly answerRequest?: (request: IncomingMessage) => ReturnType<AnswerRequest> | Promise<Answer>;
  /** Proxies that are believed for whom they connect; left out: none is. */
  readonly trustedProxies?: BlockList | undefined;
}

/** A listening server. */
export interface Listening {
  readonly server: Server;
  /** Connections that have not authenticated yet. */
  readonly unauthenticatedPeers: UnauthenticatedPeers;
  /** The address that a request comes from, behind trusted proxies too. */
  addressOf(request: IncomingMessage): string;
  /** Why fewer can connect than CONNECTIONS_MAX, and what to do about it; left out: they are not fewer. */
  readonly shortage?: string;
  /** The port that it listens on. */
  readonly port: number;
  /** Closes all connections and frees the port. */
  close(): Promise<void>;
}

/** How many connections can be open at a time. @param filesMax that this process may open */
export function connectionsMax(filesMax = openFilesMax()): number {
  return connectionsFor(filesMax, CONNECTIONS_MAX);
}

/**
 * Starts an HTTP server. See unauthenticated-peers.ts and connection-gate.ts for the limits on connections.
 * @throws UserError when the address is not available
 */
export function listen(
  address: ListenAddress,
  { clock, certificate, answerRequest = () => undefined, trustedProxies = new BlockList() }: ListenOptions,
): Promise<Listening> {
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
  const filesMax = openFilesMax();
  const most = connectionsMax(filesMax);
  server.maxConnections = most;
  const sockets = new Set<Socket>();
  const unauthenticatedPeers = new UnauthenticatedPeers(Math.ceil(most / 2));
  const gate = new ConnectionGate(clock);
  // What the server itself does with a connection is done when the gate lets it in.
  const serves = server.listeners('connection') as ((socket: Socket) => void)[];
  server.removeAllListeners('connection');
  server.on('connection', (socket: Socket) => {
    sockets.add(socket);
    socket.once('close', () => sockets.delete(socket));
    unauthenticatedPeers.add(socket);
    const ignore = (): void => {};
    socket.on('error', ignore);
    const cancelWait = clock.after(REQUEST_WAIT_MS, () => socket.destroy());
    const leave = gate.enter(networkOf(socket.remoteAddress ?? ''), () => {
      cancelWait();
      socket.off('error', ignore);
      for (const serve of serves) serve.call(server, socket);
    });
    socket.once('close', () => {
      cancelWait();
      leave();
    });
  });
  const addressOf = ({ socket, headers }: IncomingMessage): string =>
    clientAddress(socket.remoteAddress ?? 'unknown', headers['x-forwarded-for'], trustedProxies);
  const tellNetwork = (request: IncomingMessage): void =>
    unauthenticatedPeers.setNetwork(request.socket, networkOf(addressOf(request)));
  server.on('request', tellNetwork);
  server.on('upgrade', tellNetwork);
  // Every request is answered, and each connection has one: it counts as unauthenticated for as long as it is open.
  server.on('request', (request, response) => {
    const answer = ({ status, headers, body }: Answer): void => {
      const { socket } = request;
      response.setTimeout(ANSWER_WAIT_MS, () => socket.destroy());
      socket.once(
        'close',
        clock.after(ANSWER_MS_MAX, () => socket.destroy()),
      );
      response.writeHead(status, { ...headers, 'content-length': body.length, connection: 'close' });
      response.end(request.method === 'HEAD' ? undefined : body);
    };
    const answered = answerRequest(request) ?? NO_PAGE;
    if (answered instanceof Promise) void answered.then(answer);
    else answer(answered);
  });
  return new Promise((resolve, reject) => {
    server.once('error', (error: NodeJS.ErrnoException) => {
      const why = REFUSALS[error.code ?? ''] ?? `${error.message}; choose another address`;
      reject(new UserError(`cannot listen on ${hostAndPort(address)}: ${why}`));
    });
    server.listen({ host: address.host, port: address.port, exclusive: true }, () => {
      server.removeAllListeners('error');
      resolve({
        server,
        unauthenticatedPeers,
        addressOf,
        ...(most < CONNECTIONS_MAX && {
          shortage:
            `this process may open ${filesMax} files, so at most ${most} workers and watchers can connect; ` +
            'raise the limit (ulimit -n) for more',
        }),
        port: (server.address() as AddressInfo).port,
        close: () =>
          new Promise((closed) => {
            gate.close();
            server.close(() => closed());
            // A connection with an unfinished request or handshake would keep the port until it times out.
            for (const socket of sockets) socket.destroy();
          }),
      });
    });
  });
}

/** Addresses for documentation (RFC 5737, RFC 3849): routed like any other, and nothing is sent to them. */
const OUTSIDE = { udp4: '192.0.2.1', udp6: '2001:db8::1' } as const;
/** The discard port; see OUTSIDE. */
const OUTSIDE_PORT = 9;

/**
 * The host of a server for other machines: the one that it listens on, or, if it listens on all addresses of this machine,
 * the address that the default route starts from. A server on :: is reached by IPv4, too.
 */
export async function reachableHost(host: string): Promise<string> {
  if (host !== '0.0.0.0' && host !== '::') return host;
  const families = host === '::' ? (['udp6', 'udp4'] as const) : (['udp4'] as const);
  for (const family of families) {
    const address = await outwardAddress(family);
    if (address !== undefined) return address;
  }
  const addresses = Object.values(networkInterfaces()).flatMap((list) => list ?? []);
  const outward = addresses.find(({ internal, family }) => !internal && family === 'IPv4');
  return outward?.address ?? (host === '::' ? '::1' : '127.0.0.1');
}

/** The address of this machine from which it sends to others; undefined when it has no route of the family. */
function outwardAddress(family: 'udp4' | 'udp6'): Promise<string | undefined> {
  return new Promise((resolve) => {
    const socket = createSocket(family);
    const end = (address: string | undefined): void => {
      socket.close();
      resolve(address);
    };
    socket.once('error', () => end(undefined));
    // Connecting a datagram socket chooses a route and sends nothing.
    socket.connect(OUTSIDE_PORT, OUTSIDE[family], () => {
      const { address } = socket.address();
      end(isLoopback(address) || address.startsWith('fe80:') ? undefined : address);
    });
  });
}
