import { X509Certificate } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { epochMs } from '../../shared/actor/clock.js';
import { createCertificate, fingerprintOf } from '../../shared/link/certificate.js';
import { formatJoinUrl } from '../../shared/protocol/join-url.js';
import { joinLines } from '../../trainer/run-lines.js';

const PLAIN = { host: '192.0.2.1', port: 7700, token: 'A'.repeat(22) };
const OPEN = { listen: { host: '0.0.0.0', port: 7700 }, certificate: undefined, publicUrl: undefined };
const WARNING = 'browsers warn about its certificate; SHA-256 to compare:  ';

describe('the lines with which others join', () => {
  it('name the certificate that the run has made, as browsers show it', async () => {
    const { certificate } = await createCertificate(epochMs());
    const url = formatJoinUrl({ ...PLAIN, fingerprint: fingerprintOf(certificate) });
    const { fingerprint256 } = new X509Certificate(certificate);
    expect(joinLines(url, OPEN, undefined)).toContain(`  ${WARNING}${fingerprint256}`);
    // A certificate of one's own, or that of a proxy, is one that browsers know.
    for (const settings of [
      { ...OPEN, certificate: { certificate: 'c.pem', key: 'k.pem' } },
      { ...OPEN, publicUrl: 'https://example.com/unisum' },
    ])
      expect(joinLines(url, settings, undefined).join('\n')).not.toContain(WARNING);
  });

  it('name none where connections are not encrypted', () => {
    expect(joinLines(formatJoinUrl(PLAIN), OPEN, undefined).join('\n')).not.toContain(WARNING);
  });
});
