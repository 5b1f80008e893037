/*
 * Where the page's run is, and what its link permits. The token is in the fragment, which a browser never sends. It is
 * moved into the tab's session storage, so that neither the address bar nor the history shows it, and a reload keeps it.
 */
import { JOIN_PATH, OPERATE_PATH, WATCH_PATH } from '../../shared/protocol/join-url.js';
import { watchToken, workToken } from '../../shared/protocol/proof.js';

/** What a link to the page gives. */
export interface PageAddress {
  /** The token that permits joining; left out in a link for watching. */
  readonly joinToken?: string;
  /** The link with which other machines join, for those who have the right to work or to operate. */
  readonly inviteUrl?: string;
  /** Permits watching; in a link for operating it permits that too. */
  readonly watchToken: string;
  /** WebSockets of workers and of watchers, without token. */
  readonly joinUrl: string;
  readonly watchUrl: string;
  /** Host and port, for people. */
  readonly host: string;
}

/** The parts of a browser that hold the address. */
export interface AddressBar {
  readonly location: Pick<Location, 'protocol' | 'host' | 'pathname' | 'search' | 'hash'>;
  readonly history: Pick<History, 'replaceState'>;
  readonly sessionStorage: Pick<Storage, 'getItem' | 'setItem'>;
}

const TOKEN = /^[A-Za-z0-9_-]{22,64}$/;

/** Reads the address, and removes the token from the address bar; undefined when the link has no token. */
export function readAddress({ location, history, sessionStorage }: AddressBar): PageAddress | undefined {
  const { protocol, host, pathname, search, hash } = location;
  const key = `unisum ${pathname}`;
  // A fingerprint after the token is for workers outside of browsers: a page cannot read the server's certificate.
  const [given = ''] = hash.slice(1).split('.');
  if (TOKEN.test(given)) sessionStorage.setItem(key, given);
  if (hash !== '') history.replaceState(null, '', pathname + search);
  const token = sessionStorage.getItem(key);
  if (token === null) return undefined;
  const end = [WATCH_PATH, OPERATE_PATH].find((path) => pathname.endsWith(path));
  const folder = end === undefined ? pathname.replace(/\/$/, '') : pathname.slice(0, -end.length);
  const base = `${protocol === 'https:' ? 'wss' : 'ws'}://${host}${folder}`;
  const invite = end === undefined ? token : end === OPERATE_PATH ? workToken(token) : undefined;
  return {
    ...(invite !== undefined && { inviteUrl: `${protocol}//${host}${folder}/#${invite}` }),
    ...(end === undefined ? { joinToken: token, watchToken: watchToken(token) } : { watchToken: token }),
    ...{ joinUrl: base + JOIN_PATH, watchUrl: base + WATCH_PATH, host },
  };
}
