/*
 * The join URL, which people paste on another machine: wss://host:port/#token.fingerprint for an encrypted connection, and
 * ws://host:port/#token otherwise. The fingerprint is that of the server's certificate. Token and fingerprint are in the
 * fragment because a fragment is never part of a request, so no proxy and no log contains them. The URL that permits only
 * watching has /watch before the #, the one that permits operating the run has /operate, and each has another token: the
 * token for working is derived from the one for operating, and the one for watching from that (proof.ts).
 */
import { UserError } from '../errors.js';
import { watchToken, workToken } from './proof.js';

/** Where a run listens, and the token that permits joining it. */
export interface JoinAddress {
  /** A name, an IPv4 address, or an IPv6 address without brackets. */
  readonly host: string;
  readonly port: number;
  readonly token: string;
  /** SHA-256 of the server's certificate, base64url; left out when the connection is not encrypted. */
  readonly fingerprint?: string;
}

/** Longest join URL: a host name has at most 253 characters, a token 64, a fingerprint 43. */
const URL_CHARACTERS_MAX = 400;
const TOKEN = /^[A-Za-z0-9_-]{22,64}$/;
const FINGERPRINT = /^[A-Za-z0-9_-]{43}$/;
const FIX = 'copy the whole join line that "unisum train --listen" prints';

/** The path on which a coordinator accepts workers. */
export const JOIN_PATH = '/join';
/** The path on which it accepts watchers. */
export const WATCH_PATH = '/watch';
/** The path of the page for operators, and of their URL. They connect where watchers do. */
export const OPERATE_PATH = '/operate';

/** The paths of URLs that people copy. */
const PATHS: readonly string[] = ['/', WATCH_PATH, OPERATE_PATH];

/** The join URL of a run. */
export function formatJoinUrl(address: JoinAddress): string {
  return format(address, '/');
}

/** The URL for watching a run. @param address with the token for joining it */
export function formatWatchUrl(address: JoinAddress): string {
  return format({ ...address, token: watchToken(address.token) }, WATCH_PATH);
}

/** The URL for operating a run. @param address with the token for operating it */
export function formatOperateUrl(address: JoinAddress): string {
  return format(address, OPERATE_PATH);
}

/**
 * The URL of the page for browsers, with which a tab joins a run.
 * @param publicUrl under which a proxy or a tunnel offers the page; left out: none does
 */
export function formatPageUrl(address: JoinAddress, publicUrl?: string): string {
  return formatPage(address, '/', publicUrl);
}

/** The URL of the page that permits only watching. @param address with the token for joining */
export function formatWatchPageUrl(address: JoinAddress, publicUrl?: string): string {
  return formatPage({ ...address, token: watchToken(address.token) }, WATCH_PATH, publicUrl);
}

/** The URL of the page that permits operating the run. @param address with the token for operating */
export function formatOperatePageUrl(address: JoinAddress, publicUrl?: string): string {
  return formatPage(address, OPERATE_PATH, publicUrl);
}

/** The URL to connect to, without the token and the fingerprint. */
export function connectUrl(address: JoinAddress, path = JOIN_PATH): string {
  return `${schemeOf(address)}://${hostAndPort(address)}${path}`;
}

/** "host:port", with the brackets that an IPv6 address needs. */
export function hostAndPort({ host, port }: Pick<JoinAddress, 'host' | 'port'>): string {
  return `${host.includes(':') ? `[${host}]` : host}:${port}`;
}

/**
 * Reads a join URL as a person typed or pasted it.
 * @throws UserError that names the wrong part and does not contain the token
 */
export function parseJoinUrl(text: string): JoinAddress {
  const { path, ...address } = parse(text);
  if (path === OPERATE_PATH)
    throw malformed('it permits operating the run (use it with "unisum control", and keep it to yourself)');
  if (path !== '/') throw malformed('it permits watching only (use it with "unisum watch")');
  return address;
}

/**
 * Reads a URL for watching, joining or operating a run. Returns the token for watching in each case.
 * @throws UserError that names the wrong part and does not contain the token
 */
export function parseWatchUrl(text: string): JoinAddress {
  const { path, ...address } = parse(text);
  if (path === WATCH_PATH) return address;
  const { token } = address;
  return { ...address, token: watchToken(path === OPERATE_PATH ? workToken(token) : token) };
}

/**
 * Reads a URL for operating a run.
 * @throws UserError that names the wrong part and does not contain the token
 */
export function parseOperateUrl(text: string): JoinAddress {
  const { path, ...address } = parse(text);
  if (path !== OPERATE_PATH)
    throw malformed('it does not permit operating the run; that one has /operate before the #');
  return address;
}

function format(address: JoinAddress, path: string): string {
  const { token, fingerprint } = address;
  const secret = fingerprint === undefined ? token : `${token}.${fingerprint}`;
  return `${schemeOf(address)}://${hostAndPort(address)}${path}#${secret}`;
}

/** A browser needs no fingerprint: it lets no page check the certificate. */
function formatPage(address: JoinAddress, path: string, publicUrl: string | undefined): string {
  const scheme = address.fingerprint === undefined ? 'http' : 'https';
  const base = publicUrl?.replace(/\/$/, '') ?? `${scheme}://${hostAndPort(address)}`;
  return `${base}${path}#${address.token}`;
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
  if (!PATHS.includes(path) || url.search !== '') {
    throw malformed('only # and the token may follow the port');
  }
  const [token = '', fingerprint, ...rest] = url.hash.slice(1).split('.');
  if (token === '') throw malformed('the token after # is missing (quote the URL in your shell)');
  if (!TOKEN.test(token) || rest.length > 0) throw malformed('the token after # is incomplete or altered');
  if (isEncrypted !== (fingerprint !== undefined))
    throw malformed('wss:// needs a fingerprint after the token, and ws:// must not have one');
  if (fingerprint !== undefined && !FINGERPRINT.test(fingerprint))
    throw malformed('the fingerprint after the token is incomplete or altered');
  // The URL parser leaves out the default port of the scheme.
  const port = url.port === '' ? (isEncrypted ? 443 : 80) : Number(url.port);
  if (port === 0) throw malformed('port 0 cannot be connected to');
  const host = url.hostname.replace(/^\[(.*)\]$/, '$1');
  return { host, port, token, path, ...(fingerprint === undefined ? {} : { fingerprint }) };
}

function schemeOf({ fingerprint }: JoinAddress): 'ws' | 'wss' {
  return fingerprint === undefined ? 'ws' : 'wss';
}

function malformed(what: string): UserError {
  return new UserError(`the join URL is malformed: ${what}; ${FIX}`, 2);
}
