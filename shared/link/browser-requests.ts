/*
 * Which requests of browsers a server answers. A browser sends what any page asks of it, so a page of another server must
 * not be able to connect (cross-site WebSocket), nor a page whose own name was pointed at this machine (DNS rebinding).
 */
import type { IncomingHttpHeaders } from 'node:http';
import { isIP } from 'node:net';
import { hostname } from 'node:os';

/**
 * Why a request of a browser is refused, with the remedy; undefined when it may be answered.
 * @param listenHost the host that the server was told to listen on
 * @param publicUrl under which a proxy or a tunnel offers it; left out: none does
 */
export function browserRefusal(
  headers: IncomingHttpHeaders,
  listenHost: string,
  publicUrl?: string,
): string | undefined {
  const { host = '', origin } = headers;
  const own = nameOf(`http://${host}`);
  if (!isOwnName(own, listenHost) && (publicUrl === undefined || own !== nameOf(publicUrl)))
    return `open the page by this machine's address or its name ${hostname()}; for another name: --listen NAME:PORT, or --public-url URL behind a proxy`;
  // A proxy may pass on another host than the one that the browser asked for.
  const pages = [hostOf(`http://${host}`), ...(publicUrl === undefined ? [] : [hostOf(publicUrl)])];
  if (origin !== undefined && !pages.includes(hostOf(origin)))
    return 'only pages of this server may connect to it';
  return undefined;
}

/** The path of a request, without that of the public URL, which some proxies pass on and others remove. */
export function ownPath(url: string, publicUrl: string | undefined): string {
  const base = publicUrl === undefined ? '' : new URL(publicUrl).pathname.replace(/\/$/, '');
  return base !== '' && url.startsWith(`${base}/`) ? url.slice(base.length) : url;
}

/** Whether a request was made to the host of the public URL, and that is encrypted. */
export function isEncryptedPublicly(host: string, publicUrl: string | undefined): boolean {
  return publicUrl?.startsWith('https:') === true && hostOf(`http://${host}`) === hostOf(publicUrl);
}

/** Names that nobody else can point at this machine: addresses, and what it calls itself. */
function isOwnName(name: string | undefined, listenHost: string): boolean {
  if (name === undefined) return false;
  const own = hostname().toLowerCase();
  return isIP(name) !== 0 || ['localhost', listenHost.toLowerCase(), own, `${own}.local`].includes(name);
}

/** The name in a URL, in lower case, without port and brackets; undefined when it is none. */
function nameOf(url: string): string | undefined {
  return URL.canParse(url) ? new URL(url).hostname.replace(/^\[(.*)\]$/, '$1') : undefined;
}

/** Name and port of a URL; undefined when it is none. The default ports of both schemes count as left out. */
function hostOf(url: string): string | undefined {
  return URL.canParse(url) ? new URL(url).host.replace(/:(80|443)$/, '') : undefined;
}
