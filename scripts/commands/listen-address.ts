import { UserError } from '../../shared/errors.js';

/** Where a coordinator listens. */
export interface ListenAddress {
  /** Name or number of the interface; IPv6 without brackets. */
  readonly host: string;
  /** 0 to 65535; 0 lets the system choose a free one. */
  readonly port: number;
}

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
