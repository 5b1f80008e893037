import type { ScaleResult } from '../../../simulation/scale.js';
import { fillPage } from '../page.js';

/** The data of a report. */
export interface ScaleReport {
  readonly title: string;
  /** The simulated machines in one line. */
  readonly machine: string;
  readonly points: readonly (ScaleResult & { readonly kind: string })[];
}

/** Curves over numbers of simulated workers, as a self-contained page. */
export function scaleReport(report: ScaleReport): Promise<string> {
  return fillPage(new URL('./page/', import.meta.url), report);
}
