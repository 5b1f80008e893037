import { parseListenAddress } from '../../shared/link/listen.js';
import type { RelaySettings } from '../relay-run.js';
import { fraction, wholeNumber } from './option-values.js';
import { type PortOptions, parsePortOptions } from './port-options.js';
import { type JoinOptions, parseWorkerOptions } from './worker-options.js';

/** Most workers that a relay waits for. */
const WORKERS_MAX = 1000;

/** Options of `relay` as commander returns them. */
export interface RelayOptions
  extends JoinOptions,
    Omit<PortOptions, 'publicUrl' | 'trustProxy' | 'announce'> {
  listen: string;
  audit: string;
  minWorkers: string;
}

/**
 * @param machine the host name: the default for `--name`
 * @throws {UserError} (wrong usage) that names what is wrong
 */
export function parseRelayOptions(joinUrl: string, options: RelayOptions, machine: string): RelaySettings {
  const listen = parseListenAddress(options.listen);
  const { tls, certificate, joinFile } = parsePortOptions(options, listen);
  return {
    ...parseWorkerOptions(joinUrl, options, machine),
    ...{ listen, tls, certificate, joinFile },
    minWorkers: wholeNumber('--min-workers', options.minWorkers, { least: 1, most: WORKERS_MAX }),
    audit: fraction('--audit', options.audit),
  };
}
