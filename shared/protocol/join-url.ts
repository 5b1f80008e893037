/*
 * The line that is pasted on another machine: ws://host:port/#token. The token stands in the fragment because a
 * fragment is never part of a request: no proxy and no log sees it.
 */
import { UserError } from '../errors.js';

/** Where a run listens, and the token that proves the right to join it. */
export interface JoinAddress {
  /** A name, an IPv4 address, or an IPv6 address without brackets. */
  readonly host: string;
  readonly port: number;
  readonly token: string;
}

/** Longest join URL: a host name has at most 253 characters, a token 64. */
const URL_CHARACTERS_MAX = 400;
const TOKEN = /^[A-Za-z0-9_-]{22,64}$/;
const MEND = 'copy the whole join line that "unisum train --listen" prints';

/** The path on which a coordinator accepts workers. */
export const JOIN_PATH = '/join';

/** The join URL of a run. */
export function formatJoinUrl(address: JoinAddress): string {
  return `ws://${hostAndPort(address)}/#${address.token}`;
}

/** The URL to connect to: everything but the token. */
export function connectUrl(address: JoinAddress): string {
  return `ws://${hostAndPort(address)}${JOIN_PATH}`;
}

/** "host:port", with the brackets that an IPv6 address needs. */
export function hostAndPort({ host, port }: Pick<JoinAddress, 'host' | 'port'>): string {
  return `${host.includes(':') ? `[${host}]` : host}:${port}`;
}

/**
 * Reads a join URL as a person typed or pasted it.
 * @throws UserError that says which part is wrong; the token is never repeated in it
 */
export function parseJoinUrl(text: string): JoinAddress {
  const trimmed = text.trim();
  if (trimmed.length > URL_CHARACTERS_MAX) throw malformed('it is too long');
  if (!trimmed.startsWith('ws://')) throw malformed('it must begin with ws://');
  if (!URL.canParse(trimmed)) throw malformed('its host or port is wrong');
  const url = new URL(trimmed);
  if (url.hostname === '') throw malformed('the host is missing');
  if (url.username !== '' || url.password !== '') throw malformed('it must not hold a user name');
  if ((url.pathname !== '/' && url.pathname !== '') || url.search !== '') {
    throw malformed('only # and the token may follow the port');
  }
  const token = url.hash.slice(1);
  if (token === '') throw malformed('the token after # is missing (quote the URL in your shell)');
  if (!TOKEN.test(token)) throw malformed('the token after # is cut off or altered');
  // Port 80 is the scheme's own: the URL parser leaves it out.
  const port = url.port === '' ? 80 : Number(url.port);
  if (port === 0) throw malformed('port 0 cannot be connected to');
  return { host: url.hostname.replace(/^\[(.*)\]$/, '$1'), port, token };
}

function malformed(what: string): UserError {
  return new UserError(`the join URL is malformed: ${what}; ${MEND}`, 2);
}
