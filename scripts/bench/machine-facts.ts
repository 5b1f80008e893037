import { availableParallelism, cpus, loadavg, release, type } from 'node:os';
import { UserError } from '../../shared/errors.js';

/** Load average above which results are noisy, and above which they say nothing. */
const NOISY_LOAD = 0.5;
const USELESS_LOAD = 2;

/** The machine of a measurement: results cannot be compared without it. */
export interface MachineFacts {
  readonly cpu: string;
  /** Processors that this process may use. */
  readonly cores: number;
  readonly node: string;
  readonly os: string;
  /** Load average of the minute before: above 0.5, other programs were running too. */
  readonly load: number;
}

/**
 * Whether a machine is idle enough to measure on it.
 * @param anyLoad measure all the same
 * @returns a warning; undefined when the machine is idle
 * @throws UserError when it is so busy that results would say nothing
 */
export function checkLoad({ load }: Pick<MachineFacts, 'load'>, anyLoad: boolean): string | undefined {
  if (load > USELESS_LOAD && !anyLoad)
    throw new UserError(
      `the load average is ${load}: other programs are running, and times would say nothing; end them, wait a minute, ` +
        'or measure all the same with --any-load',
    );
  return load > NOISY_LOAD
    ? `load average ${load}: other programs were running; times are noisy, only ratios of one run mean something`
    : undefined;
}

/** Facts about this machine, with its present load. */
export function machineFacts(): MachineFacts {
  return {
    cpu: cpus()[0]?.model.trim() ?? process.arch,
    cores: availableParallelism(),
    node: process.versions.node,
    os: `${type()} ${release()} ${process.arch}`,
    load: Math.round((loadavg()[0] ?? 0) * 100) / 100,
  };
}

/** One line of text. */
export function describeMachine({ cpu, cores, node, os, load }: MachineFacts): string {
  return `${cpu}, ${cores} cores, Node ${node}, ${os}, load before ${load}`;
}
