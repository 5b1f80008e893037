import { BACKENDS, type Backend } from '../../shared/kernels/kernels.js';
import { oneOf, wholeNumber } from './numbers.js';

const MOST_WINDOWS = 1000;
const MOST_BATCH = 1 << 20;
const PEERS = ['pytorch'] as const;

/** Another trainer to measure against. */
export type PeerName = (typeof PEERS)[number];

/** What all benchmarks are told. */
export interface BenchSettings {
  /** Undefined: every one that this machine has. */
  readonly backends: readonly Backend[] | undefined;
  readonly peer: PeerName | undefined;
  /** Windows of measurement; figures are their medians. */
  readonly windows: number;
  readonly json: boolean;
}

/** The same as commander hands them over. */
export interface BenchOptions {
  backend?: string;
  peer?: string;
  windows: string;
  json?: true;
}

/** @throws {UserError} (wrong usage) naming the option and what it takes */
export function parseBenchOptions({ backend, peer, windows, json }: BenchOptions): BenchSettings {
  return {
    backends: backend === undefined ? undefined : someOf('--backend', backend, BACKENDS),
    peer: peer === undefined ? undefined : parsePeer(peer),
    windows: wholeNumber('--windows', windows, { least: 1, most: MOST_WINDOWS }),
    json: json ?? false,
  };
}

/** @throws {UserError} (wrong usage) when there is no such peer */
export function parsePeer(text: string): PeerName {
  return oneOf('--peer', text, PEERS);
}

/**
 * Some words out of a few, with commas between them.
 * @throws {UserError} (wrong usage) when one is none of them
 */
export function someOf<Word extends string>(option: string, text: string, words: readonly Word[]): Word[] {
  return [...new Set(text.split(',').map((word) => oneOf(option, word.trim(), words)))];
}

/** Sizes with commas between them. @throws {UserError} (wrong usage) */
export function sizes(option: string, text: string, most = MOST_BATCH): number[] {
  return [...new Set(text.split(',').map((size) => wholeNumber(option, size.trim(), { least: 1, most })))];
}
