/*
 * Whom a proxy connects for. Proxies append the address of their client to the header X-Forwarded-For. Anybody else can write
 * that header too, so it is read only where the connection comes from a proxy that this machine was told to trust.
 */
import { BlockList, isIP } from 'node:net';

/**
 * Reads addresses and networks, such as 127.0.0.1, 10.0.0.0/8 or fd00::/8.
 * @returns undefined when one of them is neither
 */
export function proxyList(entries: readonly string[]): BlockList | undefined {
  const list = new BlockList();
  for (const entry of entries) {
    const [, address = '', bits] = /^([0-9a-fA-F.:]+)(?:\/(\d{1,3}))?$/.exec(entry) ?? [];
    const kind = isIP(address);
    if (kind === 0 || Number(bits ?? 0) > (kind === 4 ? 32 : 128)) return undefined;
    const family = kind === 4 ? 'ipv4' : 'ipv6';
    if (bits === undefined) list.addAddress(address, family);
    else list.addSubnet(address, Number(bits), family);
  }
  return list;
}

/**
 * The address that a request comes from. Proxies in a row are followed back to the first that is not trusted.
 * @param address the peer of the connection, as node:net writes it
 * @param forwardedFor the header X-Forwarded-For, whose last entry is from the peer
 */
export function clientAddress(
  address: string,
  forwardedFor: string | string[] | undefined,
  trusted: BlockList,
): string {
  const entries = String(forwardedFor ?? '').split(',');
  let client = plainAddress(address);
  while (isIP(client) !== 0 && trusted.check(client, isIP(client) === 4 ? 'ipv4' : 'ipv6')) {
    const before = plainAddress(entries.pop()?.trim() ?? '');
    // What is no address says nothing about the peer: it counts as the proxy.
    if (isIP(before) === 0) break;
    client = before;
  }
  return client;
}

/** An address as it is compared: without port, brackets and zone. An IPv4 address on an IPv6 socket is an IPv4 address. */
export function plainAddress(address: string): string {
  return address
    .replace(/^\[(.*)\](?::\d+)?$/, '$1')
    .replace(/^([\d.]+):\d+$/, '$1')
    .replace(/%.*$/, '')
    .replace(/^::ffff:(?=\d+\.)/, '');
}
