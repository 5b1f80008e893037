import { UserError } from '../../shared/errors.js';
import { type JoinAddress, parseJoinUrl } from '../../shared/protocol/join-url.js';
import { memoryShare, memorySize } from './memory-size.js';
import { type NodeOptions, type NodeSettings, parseNodeOptions } from './node-options.js';

/** Longest name that is shown for a worker, in characters. */
const LONGEST_NAME = 64;

/** Options of `worker` as commander hands them over. */
export interface WorkerOptions extends NodeOptions {
  name?: string;
  memory?: string;
  json?: true;
}

/** Which run to join and how to compute for it. */
export interface WorkerSettings extends NodeSettings {
  readonly join: JoinAddress;
  /** What the coordinator calls this machine in tables and messages. */
  readonly name: string;
  /** Bytes that the run may take here. */
  readonly memory: number;
  readonly json: boolean;
}

/**
 * @param machine this machine's own name: the default for `--name`
 * @throws {UserError} (wrong usage) naming what is wrong
 */
export function parseWorkerOptions(joinUrl: string, options: WorkerOptions, machine: string): WorkerSettings {
  return {
    join: parseJoinUrl(joinUrl),
    ...parseNodeOptions(options),
    name: options.name === undefined ? machine.slice(0, LONGEST_NAME) : checkName(options.name),
    memory: options.memory === undefined ? memoryShare() : memorySize('--memory', options.memory),
    json: options.json ?? false,
  };
}

/** Names are printed in other people's terminals: no control characters, no endless ones. */
function checkName(name: string): string {
  if (name.length <= LONGEST_NAME && /^[\p{L}\p{N}][\p{L}\p{N} ._-]*$/u.test(name)) return name;
  throw new UserError(
    `--name takes up to ${LONGEST_NAME} letters, digits, spaces and ._-, not ${JSON.stringify(name)}`,
    2,
  );
}
