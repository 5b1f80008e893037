import type { BlockList } from 'node:net';
import { UserError } from '../../shared/errors.js';
import type { CertificateFiles } from '../../shared/link/certificate-files.js';
import { proxyList } from '../../shared/link/forwarded.js';
import { isLoopback, type ListenAddress } from '../../shared/link/listen.js';

/** Options about the port of a run, as they are typed. */
export interface PortOptions {
  tls?: boolean;
  tlsCert?: string;
  tlsKey?: string;
  publicUrl?: string;
  trustProxy?: string;
  joinFile?: string;
  announce?: true;
}

/** How the port of a run is offered. */
export interface PortSettings {
  /** Whether connections are encrypted. */
  readonly tls: boolean;
  /** Files of the certificate and its key that encrypt them; undefined: the run makes its own. */
  readonly certificate: CertificateFiles | undefined;
  /** Under which a proxy or a tunnel offers the page; undefined: none does. */
  readonly publicUrl: string | undefined;
  /** Proxies that are believed for whom they connect; undefined: none is. */
  readonly trustedProxies: BlockList | undefined;
  /** Where the join line is kept while the run listens; undefined: nowhere. */
  readonly joinFile: string | undefined;
  /** The run is announced on the local network. */
  readonly isAnnounced: boolean;
}

/** @throws UserError when options exclude each other, or the URL is none */
export function parsePortOptions(options: PortOptions, { host }: ListenAddress): PortSettings {
  const { publicUrl, trustProxy, joinFile, announce } = options;
  if (announce && isLoopback(host))
    throw new UserError(
      '--announce needs an address that other machines can reach, such as --listen 0.0.0.0:0',
      2,
    );
  const isAnnounced = announce === true;
  return {
    ...parseTls(options, host),
    publicUrl: parsePublicUrl(publicUrl),
    trustedProxies: parseProxies(trustProxy),
    ...{ joinFile, isAnnounced },
  };
}

/** A certificate of one's own is a wish for encryption. */
function parseTls(
  { tls, tlsCert, tlsKey }: PortOptions,
  host: string,
): Pick<PortSettings, 'tls' | 'certificate'> {
  if (tlsCert === undefined && tlsKey === undefined)
    return { tls: tls ?? !isLoopback(host), certificate: undefined };
  if (tlsCert === undefined || tlsKey === undefined)
    throw new UserError('--tls-cert and --tls-key belong together: give both files', 2);
  if (tls === false) throw new UserError('--no-tls and --tls-cert exclude each other: give one of them', 2);
  return { tls: true, certificate: { certificate: tlsCert, key: tlsKey } };
}

function parsePublicUrl(text: string | undefined): string | undefined {
  if (text === undefined) return undefined;
  const url = URL.canParse(text) ? new URL(text) : undefined;
  const isPage = url?.protocol === 'https:' || url?.protocol === 'http:';
  if (url === undefined || !isPage || url.search + url.hash + url.username + url.password !== '')
    throw new UserError(
      `--public-url takes the URL that browsers open, such as https://example.com/unisum, not "${text}"`,
      2,
    );
  return url.href;
}

function parseProxies(text: string | undefined): BlockList | undefined {
  if (text === undefined) return undefined;
  const list = proxyList(text.split(','));
  if (list === undefined)
    throw new UserError(
      `--trust-proxy takes addresses and networks of proxies, such as 127.0.0.1,10.0.0.0/8, not "${text}"`,
      2,
    );
  return list;
}
