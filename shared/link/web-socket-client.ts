import type { Clock } from '../actor/clock.js';
import { connectUrl, hostAndPort, type JoinAddress } from '../protocol/join-url.js';
import type { Link } from './link.js';
import { SpareBuffers } from './spare-buffers.js';
import { WebSocketLink } from './web-socket.js';
import { type Connection, HANDSHAKE_OPTIONS, Handshake } from './web-socket-handshake.js';

/** Longest wait for a coordinator to answer. */
export const CONNECT_WAIT_MS = 10_000;

/** A coordinator that says nothing for so long is gone. */
const SILENCE_MS = 10_000;

/** What to tell people in place of a system's code. */
const CAUSES: Readonly<Record<string, string>> = {
  ECONNREFUSED: 'nobody listens there',
  ECONNRESET: 'the connection was cut',
  EHOSTUNREACH: 'the machine cannot be reached',
  ENETUNREACH: 'there is no network',
  ENOTFOUND: 'no machine has this name',
  EAI_AGAIN: 'no machine has this name',
  ETIMEDOUT: 'the machine does not answer',
};

/**
 * Connects to a coordinator.
 * @returns a link once the connection stands; nobody has proven anything yet
 * @throws Error whose message is one line that says why there is no connection
 */
export function connectWebSocket(address: JoinAddress, clock: Clock): Promise<Link> {
  const handshake = new Handshake(connectUrl(address), HANDSHAKE_OPTIONS);
  const peer = hostAndPort(address);
  return new Promise((resolve, reject) => {
    const cancel = clock.after(CONNECT_WAIT_MS, () => fail(`no answer within ${CONNECT_WAIT_MS / 1000} s`));
    const fail = (reason: string): void => {
      cancel();
      reject(new Error(`cannot connect to ${peer}: ${reason}`));
      handshake.terminate();
    };
    handshake.on('unexpected-response', (_request, response) => {
      fail(`it answers with HTTP status ${response.statusCode}, as no coordinator does`);
    });
    // Stays for good: ending an unfinished connection makes ws emit one more error, which nobody else would take.
    handshake.on('error', (error) => fail(causeOf(error)));
    handshake.once('open', () => {
      cancel();
      handshake.removeAllListeners();
      const connection = handshake.connection as Connection;
      const link = new WebSocketLink({ connection, side: 'client', peer, clock, spares: new SpareBuffers() });
      // A coordinator that vanishes without a word (a pulled cable) closes nothing; a live one pings twice a second.
      connection.socket.setTimeout(SILENCE_MS, () =>
        link.break(`the coordinator was silent for ${SILENCE_MS / 1000} s`),
      );
      resolve(link);
    });
  });
}

function causeOf(error: Error): string {
  const code = 'code' in error && typeof error.code === 'string' ? error.code : '';
  return CAUSES[code] ?? (error.message === '' ? code : error.message);
}
