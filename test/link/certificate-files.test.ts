import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { createCertificate } from '../../shared/link/certificate.js';
import { readCertificate } from '../../shared/link/certificate-files.js';

const ROOT = mkdtempSync(join(tmpdir(), 'unisum-certificate-'));
const NOW_MS = Date.parse('2026-06-01T00:00:00Z');
const YEAR_MS = 366 * 24 * 3600 * 1000;
const [made, other] = await Promise.all([createCertificate(NOW_MS), createCertificate(NOW_MS)]);

afterAll(() => rmSync(ROOT, { recursive: true }));

/** Files with these texts. */
function files(certificate: string, key: string) {
  const paths = { certificate: join(ROOT, 'cert.pem'), key: join(ROOT, 'key.pem') };
  writeFileSync(paths.certificate, certificate);
  writeFileSync(paths.key, key);
  return paths;
}

describe('a certificate of one\u2019s own', () => {
  it('is read with its key, and with those that it rests on', async () => {
    const chain = `${made.certificate}\n${other.certificate}`;
    expect(await readCertificate(files(chain, made.key), NOW_MS)).toEqual({
      certificate: chain,
      key: made.key,
    });
  });

  it.each([
    ['nonsense', made.key, /cert\.pem is not a certificate in PEM$/],
    [made.certificate, '', /key\.pem is not a private key in PEM without passphrase$/],
    [made.certificate, other.key, /key\.pem is not the key of .*cert\.pem$/],
    ['', '', /cert\.pem is not a certificate in PEM\n.*key\.pem is not a private key/],
  ])('is refused with all that is wrong', async (certificate, key, message) => {
    await expect(readCertificate(files(certificate, key), NOW_MS)).rejects.toThrow(message);
  });

  it('is refused before and after its time', async () => {
    const pair = files(made.certificate, made.key);
    await expect(readCertificate(pair, NOW_MS + YEAR_MS)).rejects.toThrow(/has expired .*: renew it$/);
    await expect(readCertificate(pair, NOW_MS - YEAR_MS)).rejects.toThrow(/is not valid yet \(from /);
  });
});
