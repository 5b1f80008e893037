import { totalmem } from 'node:os';
import { UserError } from '../../shared/errors.js';

/** Of a machine's memory, what a run may take when nobody says how much: the owner of the machine works on it too. */
const SHARE = 0.5;
/** Less is not enough for threads and their kernels. */
const LEAST_BYTES = 16 * 2 ** 20;

const UNITS = { m: 2 ** 20, g: 2 ** 30, t: 2 ** 40 } as const;

/**
 * Reads an amount of memory, such as "512m" or "1.5g" (also "512M", "512MB", "1.5GiB"; all are powers of 1024).
 * @returns bytes
 * @throws {UserError} (wrong usage) when `text` is none, or too little to be of use
 */
export function memorySize(option: string, text: string): number {
  const [, number, unit] = /^(\d{1,6}(?:\.\d{1,3})?)([mgt])(?:i?b)?$/i.exec(text) ?? [];
  const bytes = Math.floor(Number(number) * UNITS[unit?.toLowerCase() as keyof typeof UNITS]);
  if (bytes >= LEAST_BYTES) return bytes;
  throw new UserError(
    `${option} takes an amount of memory, such as 512m or 2g, 16m at least, not "${text}"`,
    2,
  );
}

/** What a run may take of this machine's memory, or of the part of it that this process is confined to, in bytes. */
export function memoryShare(total = totalmem(), confined = process.constrainedMemory()): number {
  // Where a process is not confined, systems say 0 or more than there is.
  const memory = confined > 0 ? Math.min(total, confined) : total;
  return Math.max(LEAST_BYTES, Math.floor(memory * SHARE));
}
