import { describe, expect, it } from 'vitest';
import { browserRefusal, isEncryptedPublicly, ownPath } from '../../shared/link/browser-requests.js';

/** The address of a page of this host. */
const at = (host: string): string => `https://${host}`;

const PUBLIC = at('run.example.org/unisum/');

describe('a public URL', () => {
  const refusal = (host: string, origin?: string) =>
    browserRefusal({ host, ...(origin !== undefined && { origin }) }, '127.0.0.1', PUBLIC);

  it.each([
    ['run.example.org', at('run.example.org')],
    ['run.example.org:443', at('run.example.org')],
    // A proxy that passes on the address that it connects to.
    ['127.0.0.1:7700', at('run.example.org')],
    ['127.0.0.1:7700', 'http://127.0.0.1:7700'],
    ['run.example.org', undefined],
  ])('permits the host %s with the origin %s', (host, origin) => {
    expect(refusal(host, origin)).toBeUndefined();
  });

  it.each([
    ['run.example.org', at('example.org')],
    ['run.example.org', at('run.example.org:8443')],
    ['other.example.org', at('other.example.org')],
    ['other.example.org', undefined],
    ['127.0.0.1:7700', at('run.example.org.example.com')],
  ])('does not permit the host %s with the origin %s', (host, origin) => {
    expect(refusal(host, origin)).toBeDefined();
  });

  it('is needed for another name', () => {
    const headers = { host: 'run.example.org', origin: at('run.example.org') };
    expect(browserRefusal(headers, '127.0.0.1')).toMatch(/--public-url URL behind a proxy$/);
  });

  it('has a path that a proxy may pass on or remove', () => {
    expect(ownPath('/unisum/watch', PUBLIC)).toBe('/watch');
    expect(ownPath('/unisum/', at('run.example.org/unisum'))).toBe('/');
    expect(ownPath('/watch', PUBLIC)).toBe('/watch');
    expect(ownPath('/unisums/watch', PUBLIC)).toBe('/unisums/watch');
    expect(ownPath('/watch', at('run.example.org'))).toBe('/watch');
  });

  it('gives isolation where browsers accept it', () => {
    expect(isEncryptedPublicly('run.example.org', PUBLIC)).toBe(true);
    expect(isEncryptedPublicly('192.0.2.1:7700', PUBLIC)).toBe(false);
    expect(isEncryptedPublicly('run.example.org', at('run.example.org').replace('https', 'http'))).toBe(
      false,
    );
    expect(isEncryptedPublicly('run.example.org', undefined)).toBe(false);
  });
});
