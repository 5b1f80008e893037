import type { ScalingResult } from '../../bench/scaling-bench.js';
import { fillPage } from '../page.js';

/** The data of a report. */
export interface ScalingReport {
  readonly title: string;
  /** The machine in one line. */
  readonly machine: string;
  readonly peer: string | undefined;
  readonly results: readonly ScalingResult[];
}

/** A scaling benchmark as a self-contained page with charts and a table. */
export function scalingReport(report: ScalingReport): Promise<string> {
  return fillPage(new URL('./page/', import.meta.url), report);
}
