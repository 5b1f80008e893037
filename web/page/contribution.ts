import { NAME_CHARACTERS_MAX } from '../../shared/protocol/limits.js';
import type { Contribution } from '../worker/messages.js';

/** What the user can choose before this tab joins. */
export interface Choice {
  readonly name: string;
  readonly threads: number;
  /** Percent of the time. */
  readonly percent: number;
  readonly backend: 'wasm' | 'wasm-exact';
}

/** Memory that is assumed where a browser does not tell it, in GiB. */
const MEMORY_GIB = 4;
/** Part of the memory that a run may use: the machine's owner works on it too. */
const MEMORY_SHARE = 0.5;
/** Most that a page can use: the reach of 32-bit offsets. */
const MEMORY_BYTES_MAX = 4 * 2 ** 30;

/** Most threads that a tab can contribute. */
export function threadsMax(): number {
  // Without shared memory there is one, in a worker of its own.
  return crossOriginIsolated ? navigator.hardwareConcurrency : 1;
}

/** What is suggested: all but one of the processors, so that the machine stays responsive. */
export function suggestedChoice(): Choice {
  return { name: browserName(), threads: Math.max(1, threadsMax() - 1), percent: 100, backend: 'wasm' };
}

/** A choice as the link worker takes it. */
export function contributionOf({ name, threads, percent, backend }: Choice): Contribution {
  const { deviceMemory = MEMORY_GIB } = navigator as Navigator & { deviceMemory?: number };
  const memoryBytes = Math.min(deviceMemory * 2 ** 30 * MEMORY_SHARE, MEMORY_BYTES_MAX);
  const trimmed = name.trim().slice(0, NAME_CHARACTERS_MAX);
  return {
    name: trimmed === '' ? browserName() : trimmed,
    threads,
    share: percent / 100,
    backend,
    memoryBytes,
  };
}

/** Such as "Firefox on Linux". */
function browserName(): string {
  const { userAgent } = navigator;
  const browser = /Firefox|Edg|OPR|Chrome|Safari/.exec(userAgent)?.[0] ?? 'browser';
  const system = /Android|iPhone|iPad|Windows|Mac OS|CrOS|Linux/.exec(userAgent)?.[0] ?? 'unknown system';
  return `${{ Edg: 'Edge', OPR: 'Opera' }[browser] ?? browser} on ${system}`;
}
