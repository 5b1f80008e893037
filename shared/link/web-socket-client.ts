import { isIP } from 'node:net';
import { connect, type TLSSocket } from 'node:tls';
import { type Clock, epochMs } from '../actor/clock.js';
import { UserError } from '../errors.js';
import { connectUrl, hostAndPort, type JoinAddress } from '../protocol/join-url.js';
import type { BufferedSocket } from './buffered-socket.js';
import { certificateFault } from './certificate.js';
import { HEADER_BYTES_MAX } from './frame.js';
import type { Link } from './link.js';
import { isThisMachine, MemoryLink } from './memory-link.js';
import { SpareBuffers } from './spare-buffers.js';
import { WebSocketLink } from './web-socket.js';
import { HANDSHAKE_OPTIONS, Handshake } from './web-socket-handshake.js';

/** Longest wait for a coordinator's answer. */
export const CONNECT_WAIT_MS = 10_000;

/** A coordinator that sends nothing for so long is gone. */
const SILENCE_MS = 10_000;

/** Bytes that a coordinator may send before it has authenticated: a challenge, and the run, which may be large. */
const UNAUTHENTICATED_BYTES_MAX = HEADER_BYTES_MAX + 64 * 2 ** 10;

/** What people read instead of a system's error code. */
const CAUSES: Readonly<Record<string, string>> = {
  ECONNREFUSED: 'nothing listens there',
  ECONNRESET: 'the connection was reset',
  EHOSTUNREACH: 'the machine cannot be reached',
  ENETUNREACH: 'there is no network',
  ENOTFOUND: 'no machine has this name',
  EAI_AGAIN: 'no machine has this name',
  ETIMEDOUT: 'the machine does not answer',
};

/**
 * Connects to a coordinator. If the address has a fingerprint, nothing is sent to a server with another certificate.
 * @param path default: JOIN_PATH
 * @returns a link when the connection is established; neither side has authenticated yet
 * @throws UserError when the certificate is wrong, so that another attempt is useless
 * @throws Error with a one-line message when there is no connection
 */
export async function connectWebSocket(address: JoinAddress, clock: Clock, path?: string): Promise<Link> {
  const { fingerprint } = address;
  const encrypted = fingerprint === undefined ? undefined : await secure(address, fingerprint, clock);
  const handshake = new Handshake(connectUrl(address, path), {
    ...HANDSHAKE_OPTIONS,
    ...(encrypted && { createConnection: () => encrypted }),
  });
  const peer = hostAndPort(address);
  return new Promise((resolve, reject) => {
    const cancel = clock.after(CONNECT_WAIT_MS, () => fail(`no answer within ${CONNECT_WAIT_MS / 1000} s`));
    const fail = (reason: string): void => {
      cancel();
      reject(new Error(`cannot connect to ${peer}: ${reason}`));
      handshake.terminate();
    };
    handshake.on('unexpected-response', (_request, response) => {
      fail(`it answers with HTTP status ${response.statusCode}, so it is not a coordinator`);
    });
    // Is not removed on failure: ws emits one more error when an unfinished connection is closed.
    handshake.on('error', (error) => fail(causeOf(error)));
    handshake.once('open', () => {
      cancel();
      handshake.removeAllListeners();
      const connection = handshake.connection as BufferedSocket;
      const spares = new SpareBuffers();
      const link = new WebSocketLink({
        ...{ connection, side: 'client', peer, clock, spares },
        unauthenticatedBytesMax: UNAUTHENTICATED_BYTES_MAX,
      });
      // A coordinator that disappears (a pulled cable) does not close its connections. A live one pings twice a second.
      connection.socket.setTimeout(SILENCE_MS, () =>
        link.break(`the coordinator was silent for ${SILENCE_MS / 1000} s`),
      );
      const { remoteAddress, localPort } = connection.socket;
      const ownPort = isThisMachine(remoteAddress) ? localPort : undefined;
      resolve(path === undefined ? new MemoryLink(link, { side: 'client', ownPort, spares }) : link);
    });
  });
}

/** Opens an encrypted connection to a server with this fingerprint. No certificate authority is involved. */
function secure(address: JoinAddress, fingerprint: string, clock: Clock): Promise<TLSSocket> {
  const { host, port } = address;
  return new Promise((resolve, reject) => {
    const cancel = clock.after(CONNECT_WAIT_MS, () => fail(`no answer within ${CONNECT_WAIT_MS / 1000} s`));
    const fail = (reason: string, Kind: new (message: string) => Error = Error): void => {
      cancel();
      reject(new Kind(`cannot connect to ${hostAndPort(address)}: ${reason}`));
      socket.destroy();
    };
    const onError = (error: Error): void => fail(causeOf(error));
    const socket = connect({
      ...{ host, port, minVersion: 'TLSv1.3', rejectUnauthorized: false },
      ...(isIP(host) === 0 && { servername: host }),
    });
    socket.once('error', onError);
    socket.once('secureConnect', () => {
      cancel();
      const fault = certificateFault(
        socket.getPeerCertificate().raw ?? new Uint8Array(),
        fingerprint,
        epochMs(),
      );
      if (fault !== undefined) return fail(fault, UserError);
      socket.off('error', onError);
      resolve(socket);
    });
  });
}

function causeOf(error: Error): string {
  const code = 'code' in error && typeof error.code === 'string' ? error.code : '';
  // OpenSSL's own text has two lines and a file of its source.
  if (code === 'EPROTO' || code.startsWith('ERR_SSL_'))
    return 'what listens there does not encrypt as a run does: copy the join line again';
  return CAUSES[code] ?? (error.message === '' ? code : error.message);
}
