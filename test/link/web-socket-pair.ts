import type { Server } from 'node:http';
import { type Clock, systemClock } from '../../shared/actor/clock.js';
import type { Link } from '../../shared/link/link.js';
import { listen } from '../../shared/link/listen.js';
import { connectWebSocket } from '../../shared/link/web-socket-client.js';
import { acceptWebSockets } from '../../shared/link/web-socket-server.js';
import type { JoinAddress } from '../../shared/protocol/join-url.js';

/** Connections of a test need not wait for the gate, whose allowance grows with time; see connection-gate.test.ts. */
const HASTY_CLOCK: Clock = { ...systemClock, nowMs: () => systemClock.nowMs() * 1e6 };

/** A coordinator's server on a free local port. */
export interface TestServer {
  readonly server: Server;
  readonly address: JoinAddress;
  /** The next link that is accepted. */
  accepted(): Promise<Link>;
  dispose(): Promise<void>;
}

/** Starts a server that accepts workers. */
export async function startServer(): Promise<TestServer> {
  const listening = await listen({ host: '127.0.0.1', port: 0 }, { clock: HASTY_CLOCK });
  const { server, port } = listening;
  const links: Link[] = [];
  const waiting: ((link: Link) => void)[] = [];
  const sockets = new Set<{ destroy(): void }>();
  server.on('connection', (socket) => sockets.add(socket));
  acceptWebSockets(listening, { clock: systemClock, listenHost: '127.0.0.1' }, (link) => {
    const next = waiting.shift();
    if (next === undefined) links.push(link);
    else next(link);
  });
  return {
    server,
    address: { host: '127.0.0.1', port, token: 'A'.repeat(22) },
    accepted: () => {
      const link = links.shift();
      return link === undefined ? new Promise((resolve) => waiting.push(resolve)) : Promise.resolve(link);
    },
    dispose: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        for (const socket of sockets) socket.destroy();
      }),
  };
}

/** A connected pair, the client's end first. Each end has admitted the other. */
export async function connectedPair(testServer: TestServer): Promise<[Link, Link]> {
  const [client, server] = await Promise.all([
    connectWebSocket(testServer.address, systemClock),
    testServer.accepted(),
  ]);
  client.admit();
  server.admit();
  return [client, server];
}
