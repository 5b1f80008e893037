/*
 * The line that is pasted on another machine: wss://host:port/#token.fingerprint where the connection is encrypted, and
 * ws://host:port/#token where it is not. The fingerprint is that of the server's certificate. Both stand in the
 * fragment because a fragment is never part of a request: no proxy and no log sees it. A line that gives the right to
 * watch only has /watch before the #, and another token.
 */
import { UserError } from '../errors.js';
import { watchToken } from './proof.js';

/** Where a run listens, and the token that proves the right to join it. */
export interface JoinAddress {
  /** A name, an IPv4 address, or an IPv6 address without brackets. */
  readonly host: string;
  readonly port: number;
  readonly token: string;
  /** SHA-256 of the server's certificate, base64url; left out where the connection is not encrypted. */
  readonly fingerprint?: string;
}

/** Longest join URL: a host name has at most 253 characters, a token 64, a fingerprint 43. */
const URL_CHARACTERS_MAX = 400;
const TOKEN = /^[A-Za-z0-9_-]{22,64}$/;
const FINGERPRINT = /^[A-Za-z0-9_-]{43}$/;
const MEND = 'copy the whole join line that "unisum train --listen" prints';

/** The path on which a coordinator accepts workers. */
export const JOIN_PATH = '/join';
/** The path on which it accepts those who watch. */
export const WATCH_PATH = '/watch';

/** The join URL of a run. */
export function formatJoinUrl(address: JoinAddress): string {
  return format(address, '/');
}

/** The URL to watch a run. @param address with the token to join it */
export function formatWatchUrl(address: JoinAddress): string {
  return format({ ...address, token: watchToken(address.token) }, WATCH_PATH);
}

/** The URL to connect to: everything but the secrets. */
export function connectUrl(address: JoinAddress, path = JOIN_PATH): string {
  return `${schemeOf(address)}://${hostAndPort(address)}${path}`;
}

/** "host:port", with the brackets that an IPv6 address needs. */
export function hostAndPort({ host, port }: Pick<JoinAddress, 'host' | 'port'>): string {
  return `${host.includes(':') ? `[${host}]` : host}:${port}`;
}

/**
 * Reads a join URL as a person typed or pasted it.
 * @throws UserError that says which part is wrong; no secret is repeated in it
 */
export function parseJoinUrl(text: string): JoinAddress {
  const { path, ...address } = parse(text);
  if (path !== '/') throw malformed('it gives the right to watch only ("unisum watch" takes it)');
  return address;
}

/**
 * Reads the URL to watch a run; that to join it will do as well. Its token is that to watch.
 * @throws UserError that says which part is wrong; no secret is repeated in it
 */
export function parseWatchUrl(text: string): JoinAddress {
  const { path, ...address } = parse(text);
  return path === '/' ? { ...address, token: watchToken(address.token) } : address;
}

function format(address: JoinAddress, path: string): string {
  const { token, fingerprint } = address;
  const secret = fingerprint === undefined ? token : `${token}.${fingerprint}`;
  return `${schemeOf(address)}://${hostAndPort(address)}${path}#${secret}`;
}

function parse(text: string): JoinAddress & { readonly path: string } {
  const trimmed = text.trim();
  if (trimmed.length > URL_CHARACTERS_MAX) throw malformed('it is too long');
  const isEncrypted = trimmed.startsWith('wss://');
  if (!isEncrypted && !trimmed.startsWith('ws://')) throw malformed('it must begin with ws:// or wss://');
  if (!URL.canParse(trimmed)) throw malformed('its host or port is wrong');
  const url = new URL(trimmed);
  if (url.hostname === '') throw malformed('the host is missing');
  if (url.username !== '' || url.password !== '') throw malformed('it must not hold a user name');
  const path = url.pathname === '' ? '/' : url.pathname;
  if ((path !== '/' && path !== WATCH_PATH) || url.search !== '') {
    throw malformed('only # and the token may follow the port');
  }
  const [token = '', fingerprint, ...rest] = url.hash.slice(1).split('.');
  if (token === '') throw malformed('the token after # is missing (quote the URL in your shell)');
  if (!TOKEN.test(token) || rest.length > 0) throw malformed('the token after # is cut off or altered');
  if (isEncrypted !== (fingerprint !== undefined))
    throw malformed('wss:// goes with a fingerprint behind the token, ws:// with none');
  if (fingerprint !== undefined && !FINGERPRINT.test(fingerprint))
    throw malformed('the fingerprint behind the token is cut off or altered');
  // The scheme's own port is left out by the URL parser.
  const port = url.port === '' ? (isEncrypted ? 443 : 80) : Number(url.port);
  if (port === 0) throw malformed('port 0 cannot be connected to');
  const host = url.hostname.replace(/^\[(.*)\]$/, '$1');
  return { host, port, token, path, ...(fingerprint === undefined ? {} : { fingerprint }) };
}

function schemeOf({ fingerprint }: JoinAddress): 'ws' | 'wss' {
  return fingerprint === undefined ? 'ws' : 'wss';
}

function malformed(what: string): UserError {
  return new UserError(`the join URL is malformed: ${what}; ${MEND}`, 2);
}
