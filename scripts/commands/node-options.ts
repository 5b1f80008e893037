import type { Command } from 'commander';
import { BACKENDS } from '../../shared/kernels/kernels.js';
import { oneOf, wholeNumber } from './numbers.js';

/** Which build of the kernels to use; `auto` is the fastest that this machine runs. */
const BACKEND_CHOICES = ['auto', ...BACKENDS] as const;
export type BackendChoice = (typeof BACKEND_CHOICES)[number];

/** Compute threads that one node may be told to start. */
const MOST_THREADS = 256;

/** How a node computes: the options that `train` and `worker` share. None of them changes the weights. */
export interface NodeSettings {
  readonly backend: BackendChoice;
  /** Compute threads per node. */
  readonly threads: number;
}

/** The same as commander hands them over. */
export interface NodeOptions {
  backend: string;
  threads: string;
}

/** Declares `--threads` and `--backend` on a command. */
export function addNodeOptions(command: Command): Command {
  return addBackendOption(command.option('--threads <T>', 'compute threads per node', '1'));
}

/** Declares `--backend` alone, for commands that start no threads. */
export function addBackendOption(command: Command): Command {
  return command.option('--backend <name>', `build of the kernels: ${BACKEND_CHOICES.join(', ')}`, 'auto');
}

/** @throws {UserError} (wrong usage) when there is no such backend */
export function parseBackend(text: string): BackendChoice {
  return oneOf('--backend', text, BACKEND_CHOICES);
}

/** @throws {UserError} (wrong usage) naming the option and what it takes */
export function parseNodeOptions(options: NodeOptions): NodeSettings {
  return {
    backend: parseBackend(options.backend),
    threads: wholeNumber('--threads', options.threads, { least: 1, most: MOST_THREADS }),
  };
}
