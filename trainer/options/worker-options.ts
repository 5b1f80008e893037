import { totalmem } from 'node:os';
import { UserError } from '../../shared/errors.js';
import { type JoinAddress, parseJoinUrl } from '../../shared/protocol/join-url.js';
import { type ComputeOptions, type ComputeSettings, parseComputeOptions } from './compute-options.js';

/** Longest name of a worker, in characters. */
const NAME_CHARACTERS_MAX = 64;

/** Default fraction of a machine's memory that a run may use: its owner works on it too. */
const MEMORY_SHARE = 0.5;
/** Less is not enough for the compute threads and their kernels. */
const MEMORY_BYTES_MIN = 16 * 2 ** 20;
const UNITS = { m: 2 ** 20, g: 2 ** 30, t: 2 ** 40 } as const;

/** Options of `worker` as commander returns them. */
export interface JoinOptions extends ComputeOptions {
  name?: string;
  memory?: string;
  json?: true;
}

/** Which run to join, and how to compute for it. */
export interface WorkerSettings extends ComputeSettings {
  readonly join: JoinAddress;
  /** Name of this worker in tables and messages. */
  readonly name: string;
  /** Bytes that the run may use on this machine. */
  readonly memory: number;
  readonly json: boolean;
}

/**
 * @param machine the host name: the default for `--name`
 * @throws {UserError} (wrong usage) that names what is wrong
 */
export function parseWorkerOptions(joinUrl: string, options: JoinOptions, machine: string): WorkerSettings {
  return {
    join: parseJoinUrl(joinUrl),
    ...parseComputeOptions(options),
    name: options.name === undefined ? machine.slice(0, NAME_CHARACTERS_MAX) : checkName(options.name),
    memory: options.memory === undefined ? memoryShare() : parseMemory(options.memory),
    json: options.json ?? false,
  };
}

/** The memory that a run may use by default: half of the machine's, or of the limit of this process, in bytes. */
export function memoryShare(total = totalmem(), limit = process.constrainedMemory()): number {
  // Without a limit, systems report 0 or more than the machine has.
  const memory = limit > 0 ? Math.min(total, limit) : total;
  return Math.max(MEMORY_BYTES_MIN, Math.floor(memory * MEMORY_SHARE));
}

/** Names are printed in other people's terminals, so control characters and long names are refused. */
function checkName(name: string): string {
  if (name.length <= NAME_CHARACTERS_MAX && /^[\p{L}\p{N}][\p{L}\p{N} ._-]*$/u.test(name)) return name;
  throw new UserError(
    `--name takes up to ${NAME_CHARACTERS_MAX} letters, digits, spaces and ._-, not ${JSON.stringify(name)}`,
    2,
  );
}

/** "512m" or "1.5g", also "512M", "512MB" and "1.5GiB", all in powers of 1024. @returns bytes */
function parseMemory(text: string): number {
  const [, number, unit] = /^(\d{1,6}(?:\.\d{1,3})?)([mgt])(?:i?b)?$/i.exec(text) ?? [];
  const bytes = Math.floor(Number(number) * UNITS[unit?.toLowerCase() as keyof typeof UNITS]);
  if (bytes >= MEMORY_BYTES_MIN) return bytes;
  throw new UserError(
    `--memory takes an amount of memory, such as 512m or 2g, 16m at least, not "${text}"`,
    2,
  );
}
