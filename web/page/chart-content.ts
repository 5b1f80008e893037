/* What a chart shows, as data. */

/** A curve: y values by the chart's x values; null where it has none. */
export interface Curve {
  readonly label: string;
  readonly values: readonly (number | null)[];
  /** Drawn as separate points, as evaluations are. */
  readonly isPoints?: boolean;
}

/** What a chart shows. */
export interface ChartContent {
  readonly x: readonly number[];
  readonly curves: readonly Curve[];
}

/** Whether a chart of one looks like a chart of the other. */
export function sameContent(a: ChartContent, b: ChartContent): boolean {
  return (
    sameValues(a.x, b.x) &&
    a.curves.length === b.curves.length &&
    a.curves.every(({ label, values, isPoints }, i) => {
      const other = b.curves[i] as Curve;
      return label === other.label && isPoints === other.isPoints && sameValues(values, other.values);
    })
  );
}

function sameValues(a: Curve['values'], b: Curve['values']): boolean {
  return a.length === b.length && a.every((value, i) => value === b[i]);
}
