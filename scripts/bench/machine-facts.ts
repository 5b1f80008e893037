import { availableParallelism, cpus, loadavg, release, type } from 'node:os';

/** Where figures were measured: without it they say nothing. */
export interface MachineFacts {
  readonly cpu: string;
  /** Processors that this process may use. */
  readonly cores: number;
  readonly node: string;
  readonly os: string;
  /** Processes that wanted a processor, on average over the minute before: above 0.5 someone else is at work too. */
  readonly load: number;
}

/** The facts about this machine, now. */
export function machineFacts(): MachineFacts {
  return {
    cpu: cpus()[0]?.model.trim() ?? process.arch,
    cores: availableParallelism(),
    node: process.versions.node,
    os: `${type()} ${release()} ${process.arch}`,
    load: Math.round((loadavg()[0] ?? 0) * 100) / 100,
  };
}

/** The facts in one line. */
export function describeMachine({ cpu, cores, node, os, load }: MachineFacts): string {
  return `${cpu}, ${cores} cores, Node ${node}, ${os}, load before ${load}`;
}
