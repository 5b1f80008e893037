import { readdirSync, readFileSync } from 'node:fs';

/** What a process used first and last: medians over a quarter of the samples each, so that no peak decides. */
export interface Trend {
  readonly handles: readonly [first: number, last: number];
  /** Resident memory. */
  readonly mebibytes: readonly [first: number, last: number];
}

/** Samples the memory and the open handles of a process. Linux only. */
export class Gauge {
  private readonly handles: number[] = [];
  private readonly mebibytes: number[] = [];

  constructor(private readonly pid: number | 'self') {}

  sample(): void {
    const [, kibibytes] = /VmRSS:\s+(\d+) kB/.exec(readFileSync(`/proc/${this.pid}/status`, 'utf8')) ?? [];
    this.mebibytes.push(Number(kibibytes) / 1024);
    this.handles.push(readdirSync(`/proc/${this.pid}/fd`).length);
  }

  /** The second quarter of the samples, since a process grows in the first one, and the last quarter. */
  trend(): Trend {
    return { handles: ends(this.handles), mebibytes: ends(this.mebibytes) };
  }
}

function ends(values: readonly number[]): readonly [number, number] {
  const quarter = Math.max(1, Math.floor(values.length / 4));
  return [median(values.slice(quarter, 2 * quarter)), median(values.slice(-quarter))];
}

/** The median; NaN of no values. */
export function median(values: readonly number[]): number {
  return [...values].sort((a, b) => a - b)[values.length >> 1] ?? Number.NaN;
}
