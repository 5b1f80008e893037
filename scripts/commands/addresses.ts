import { UserError } from '../../shared/errors.js';

/** Where a coordinator listens. */
export interface ListenAddress {
  /** Name or number of the interface; IPv6 without brackets. */
  readonly host: string;
  /** 0 to 65535; 0 lets the system choose a free one. */
  readonly port: number;
}

/** Where and with what right a worker joins a run. */
export interface JoinAddress {
  /** WebSocket address of the coordinator, without the token. */
  readonly url: string;
  /** Secret of the run. */
  readonly token: string;
}

/** Tokens are base64url: nothing in them needs quoting in a shell. */
const TOKEN = /^[A-Za-z0-9_-]{8,128}$/;

/**
 * Reads `host:port`, `[::1]:port` for IPv6.
 * @param option as the user wrote it, for the message
 * @throws {UserError} (wrong usage)
 */
export function parseListenAddress(option: string, text: string): ListenAddress {
  const [, bracketed, plain, digits] = /^(?:\[([0-9a-f:.]+)\]|([^\s:[\]/]+)):(\d{1,5})$/i.exec(text) ?? [];
  const host = bracketed ?? plain;
  const port = Number(digits);
  if (host !== undefined && port <= 65_535) return { host, port };
  throw new UserError(`${option} takes host:port, such as 0.0.0.0:7700, not "${text}"`, 2);
}

/**
 * The one line that a user pastes on another machine. The token stands in the fragment, which clients do not send
 * and servers therefore do not log.
 */
export function formatJoinUrl({ url, token }: JoinAddress): string {
  return `${url.replace(/\/$/, '')}/#${token}`;
}

/**
 * Reads what `formatJoinUrl` wrote.
 * @throws {UserError} (wrong usage) that says which part is wrong
 */
export function parseJoinUrl(text: string): JoinAddress {
  const wrong = (what: string): UserError =>
    new UserError(`${what}; copy the whole join line that the coordinator printed, ws://HOST:PORT/#TOKEN`, 2);
  if (!URL.canParse(text)) throw wrong(`"${text}" is not a join URL`);
  const url = new URL(text);
  if (url.protocol !== 'ws:' && url.protocol !== 'wss:')
    throw wrong(`a join URL begins with ws:// or wss://, not ${url.protocol}//`);
  const token = url.hash.slice(1);
  if (token === '') throw wrong('the join URL lacks its token, the part after #');
  if (!TOKEN.test(token)) throw wrong('the token of the join URL, the part after #, is damaged');
  url.hash = '';
  return { url: url.href, token };
}
