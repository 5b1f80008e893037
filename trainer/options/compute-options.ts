import { BACKENDS } from '../../shared/kernels/kernels.js';
import { oneOf, wholeNumber } from './option-values.js';

/** Builds of the kernels; `auto` is the fastest one that this machine runs. */
export const BACKEND_CHOICES = ['auto', ...BACKENDS] as const;
export type BackendChoice = (typeof BACKEND_CHOICES)[number];

/** Most compute threads of one worker. */
const THREADS_MAX = 256;

/** How a worker computes. None of it changes the weights. */
export interface ComputeSettings {
  readonly backend: BackendChoice;
  /** Compute threads per worker. */
  readonly threads: number;
}

/** The same as text. */
export interface ComputeOptions {
  backend: string;
  threads: string;
}

/** @throws {UserError} (wrong usage) when there is no such backend */
export function parseBackend(text: string): BackendChoice {
  return oneOf('--backend', text, BACKEND_CHOICES);
}

/** @throws {UserError} (wrong usage) that names the option and what it takes */
export function parseComputeOptions(options: ComputeOptions): ComputeSettings {
  return {
    backend: parseBackend(options.backend),
    threads: wholeNumber('--threads', options.threads, { least: 1, most: THREADS_MAX }),
  };
}
