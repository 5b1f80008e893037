import { X509Certificate } from 'node:crypto';

/** How long a certificate is valid: longer than a run, and short enough to limit the use of a stolen key. */
const LIFE_MS = 365 * 24 * 3600 * 1000;
/** The clock of another machine may be behind by so much. */
const EARLY_MS = 24 * 3600 * 1000;

/** A server's certificate and its key. It is self-signed; the join URL holds its fingerprint. */
export interface Certificate {
  /** PEM. */
  readonly certificate: string;
  /** PEM. Must stay secret. */
  readonly key: string;
}

/** Creates a certificate and its key (P-256), valid for a year from now on. @param nowMs milliseconds since 1970 */
export async function createCertificate(nowMs: number): Promise<Certificate> {
  // Loaded only where it is needed, since that takes half a second.
  const { generate } = await import('selfsigned');
  const made = await generate([{ name: 'commonName', value: 'unisum' }], {
    keyType: 'ec',
    curve: 'P-256',
    algorithm: 'sha256',
    notBeforeDate: new Date(nowMs - EARLY_MS),
    notAfterDate: new Date(nowMs + LIFE_MS),
  });
  return { certificate: made.cert, key: made.private };
}

/** The SHA-256 of a certificate's DER, as 43 characters of the base64url alphabet. @param certificate PEM or DER */
export function fingerprintOf(certificate: string | Uint8Array): string {
  const { fingerprint256 } = new X509Certificate(certificate);
  return Buffer.from(fingerprint256.replaceAll(':', ''), 'hex').toString('base64url');
}

/**
 * Why a server's certificate must not be trusted; undefined when it has the expected fingerprint and is valid.
 * @param certificate DER, as the server sent it; empty when it sent none
 * @param nowMs milliseconds since 1970
 */
export function certificateFault(
  certificate: Uint8Array,
  fingerprint: string,
  nowMs: number,
): string | undefined {
  if (certificate.length === 0 || fingerprintOf(certificate) !== fingerprint)
    return 'its certificate is not the one of the join line: another server answers there, or the run was started again; copy the line again';
  const { validFrom, validTo } = new X509Certificate(certificate);
  if (nowMs > Date.parse(validTo))
    return `its certificate has expired (${validTo}); start the run again, or set this machine's clock`;
  if (nowMs < Date.parse(validFrom))
    return `its certificate is not valid yet (from ${validFrom} on); set this machine's clock`;
  return undefined;
}

/** Whether a certificate is not valid at this time. @param nowMs milliseconds since 1970 */
export function isExpired(certificate: string, nowMs: number): boolean {
  const { validFrom, validTo } = new X509Certificate(certificate);
  return nowMs < Date.parse(validFrom) || nowMs > Date.parse(validTo);
}
