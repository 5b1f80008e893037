import { createPrivateKey, type KeyObject, X509Certificate } from 'node:crypto';
import { UserError } from '../errors.js';
import { readBoundedFile } from '../files/read-file.js';
import type { Certificate } from './certificate.js';

/** Largest file of a certificate, with those that it rests on, or of a key. */
const FILE_BYTES_MAX = 2 ** 20;

/** Paths of a certificate and its key. */
export interface CertificateFiles {
  readonly certificate: string;
  readonly key: string;
}

/**
 * Reads a certificate that somebody else has made, and its key.
 * @param nowMs milliseconds since 1970
 * @throws UserError with all that is wrong, a line each
 */
export async function readCertificate(files: CertificateFiles, nowMs: number): Promise<Certificate> {
  const read = async (path: string): Promise<string> =>
    new TextDecoder().decode(await readBoundedFile(path, FILE_BYTES_MAX));
  const [certificate, key] = [await read(files.certificate), await read(files.key)];
  const parsed = parsedOr(() => new X509Certificate(certificate));
  const parsedKey = parsedOr(() => createPrivateKey(key));
  const problems = [
    ...(parsed === undefined ? [`${files.certificate} is not a certificate in PEM`] : []),
    ...(parsedKey === undefined ? [`${files.key} is not a private key in PEM without passphrase`] : []),
    ...(parsed === undefined ? [] : datesOf(parsed, files.certificate, nowMs)),
    ...(parsed !== undefined && parsedKey !== undefined && !parsed.checkPrivateKey(parsedKey)
      ? [`${files.key} is not the key of ${files.certificate}`]
      : []),
  ];
  if (problems.length > 0) throw new UserError(problems.join('\n'), 2);
  return { certificate, key };
}

function datesOf({ validFrom, validTo }: X509Certificate, path: string, nowMs: number): string[] {
  if (nowMs > Date.parse(validTo)) return [`${path} has expired (${validTo}): renew it`];
  if (nowMs < Date.parse(validFrom)) return [`${path} is not valid yet (from ${validFrom} on)`];
  return [];
}

function parsedOr<T extends X509Certificate | KeyObject>(parse: () => T): T | undefined {
  try {
    return parse();
  } catch {
    return undefined;
  }
}
