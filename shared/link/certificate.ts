import { X509Certificate } from 'node:crypto';

/** How long a certificate holds: longer than a run, short enough that a stolen key is of no use for ever. */
const LIFE_MS = 365 * 24 * 3600 * 1000;
/** Clocks of other machines may be behind ours by so much. */
const EARLY_MS = 24 * 3600 * 1000;

/** What a server proves its name with. Nobody has signed it: its fingerprint stands in the join URL. */
export interface Certificate {
  /** PEM. */
  readonly certificate: string;
  /** PEM, for the owner's eyes alone. */
  readonly key: string;
}

/** Makes a certificate and its key (P-256), which hold from now on for a year. @param nowMs milliseconds since 1970 */
export async function createCertificate(nowMs: number): Promise<Certificate> {
  // Loaded where it is needed only: it takes half a second.
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

/** SHA-256 of a certificate's DER: 43 characters of the base64url alphabet. @param certificate PEM or DER */
export function fingerprintOf(certificate: string | Uint8Array): string {
  const { fingerprint256 } = new X509Certificate(certificate);
  return Buffer.from(fingerprint256.replaceAll(':', ''), 'hex').toString('base64url');
}

/**
 * Why a server's certificate is not to be trusted; undefined when it is the one whose fingerprint is expected, and holds.
 * @param certificate DER, as it came over the connection; empty when none came
 * @param nowMs milliseconds since 1970
 */
export function certificateFault(
  certificate: Uint8Array,
  fingerprint: string,
  nowMs: number,
): string | undefined {
  if (certificate.length === 0 || fingerprintOf(certificate) !== fingerprint)
    return 'its certificate is not the one of the join line: someone else answers there, or the run was started anew; copy the line again';
  const { validFrom, validTo } = new X509Certificate(certificate);
  if (nowMs > Date.parse(validTo))
    return `its certificate has expired (${validTo}); begin the run anew, or set this machine's clock`;
  if (nowMs < Date.parse(validFrom))
    return `its certificate does not hold yet (from ${validFrom} on); set this machine's clock`;
  return undefined;
}

/** Whether a certificate does not hold at this time. @param nowMs milliseconds since 1970 */
export function isExpired(certificate: string, nowMs: number): boolean {
  const { validFrom, validTo } = new X509Certificate(certificate);
  return nowMs < Date.parse(validFrom) || nowMs > Date.parse(validTo);
}
