import { fillPage } from '../pages/page.js';
import type { ScalingResult } from './scaling-bench.js';

/** What a report shows. */
export interface ScalingReport {
  readonly title: string;
  /** The machine in one line. */
  readonly machine: string;
  readonly peer: string | undefined;
  readonly results: readonly ScalingResult[];
}

/** A scaling benchmark as one page that needs nothing else: charts, library and figures are in it. */
export function scalingReport(report: ScalingReport): Promise<string> {
  return fillPage(new URL('./report/', import.meta.url), report);
}
