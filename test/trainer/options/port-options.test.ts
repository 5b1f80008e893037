import { describe, expect, it } from 'vitest';
import { parsePortOptions } from '../../../trainer/options/port-options.js';

const LOOPBACK = { host: '127.0.0.1', port: 0 };
const OPEN = { host: '0.0.0.0', port: 0 };

describe('options about the port of a run', () => {
  it('encrypt connections that other machines can make, unless they say otherwise', () => {
    expect(parsePortOptions({}, LOOPBACK).tls).toBe(false);
    expect(parsePortOptions({}, OPEN)).toEqual({ tls: true, isAnnounced: false });
    expect(parsePortOptions({ tls: false }, OPEN).tls).toBe(false);
    expect(parsePortOptions({ tls: true }, LOOPBACK).tls).toBe(true);
  });

  it('announce a run only where other machines can reach it', () => {
    expect(parsePortOptions({ announce: true }, OPEN).isAnnounced).toBe(true);
    expect(() => parsePortOptions({ announce: true }, LOOPBACK)).toThrow(
      /^--announce needs an address that other machines can reach, such as --listen 0\.0\.0\.0:0$/,
    );
  });

  it('encrypt with a certificate that is named', () => {
    const certificate = { certificate: 'c.pem', key: 'k.pem' };
    expect(parsePortOptions({ tlsCert: 'c.pem', tlsKey: 'k.pem' }, LOOPBACK)).toMatchObject({
      ...{ tls: true, certificate },
    });
    const pair = '--tls-cert and --tls-key belong together: give both files';
    expect(() => parsePortOptions({ tlsCert: 'c.pem' }, OPEN)).toThrow(pair);
    expect(() => parsePortOptions({ tlsKey: 'k.pem' }, OPEN)).toThrow(pair);
    expect(() => parsePortOptions({ tls: false, tlsCert: 'c', tlsKey: 'k' }, OPEN)).toThrow(
      /exclude each other/,
    );
  });

  it('trust proxies by address and network', () => {
    const list = parsePortOptions({ trustProxy: '127.0.0.1,10.0.0.0/8' }, OPEN).trustedProxies;
    expect(list?.check('10.1.2.3')).toBe(true);
    expect(list?.check('192.0.2.7')).toBe(false);
    expect(parsePortOptions({}, OPEN).trustedProxies).toBeUndefined();
    expect(() => parsePortOptions({ trustProxy: 'proxy.example' }, OPEN)).toThrow(
      /^--trust-proxy takes addresses and networks of proxies, such as 127\.0\.0\.1,10\.0\.0\.0\/8, not "proxy\.example"$/,
    );
  });

  it('take the URL that browsers open', () => {
    const url = (publicUrl: string) => parsePortOptions({ publicUrl }, OPEN).publicUrl;
    expect(url('https://example.com')).toBe('https://example.com/');
    expect(url('http://example.com:8080/unisum')).toBe('http://example.com:8080/unisum');
    for (const wrong of [
      'example.com',
      'wss://example.com',
      'https://a@example.com',
      'https://example.com/?b',
      'https://example.com/#b',
      '',
    ])
      expect(() => url(wrong), wrong).toThrow(/^--public-url takes the URL that browsers open/);
  });
});
