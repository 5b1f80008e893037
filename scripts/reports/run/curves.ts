/** A curve by the x values of its chart; null where it has none, or one that cannot be drawn. */
export interface Curve {
  readonly label: string;
  readonly values: readonly (number | null)[];
  /** Drawn with its points, as few evaluations are. */
  readonly isPoints: boolean;
}

/** A chart over steps. */
export interface Chart {
  readonly title: string;
  readonly note?: string;
  readonly x: readonly number[];
  readonly curves: readonly Curve[];
  readonly isLogarithmic?: boolean;
}

/** A value at a step. */
export type Point = readonly [step: number, value: number];

/** Points of one curve. */
export interface LabelledPoints {
  readonly label: string;
  readonly points: readonly Point[];
}

/** Most points of a curve: more than a screen can show, and few enough for a page of some hundred kilobytes. */
export const POINTS_MAX = 800;
/** Curves with fewer points are drawn with them. */
const FEW_POINTS = 64;

/**
 * At most POINTS_MAX points: neighbours become one, at the last of their steps, with their mean. What is not finite is left out.
 */
export function thinned(points: readonly Point[]): Point[] {
  const finite = points.filter(([, value]) => Number.isFinite(value));
  const size = Math.ceil(finite.length / POINTS_MAX);
  if (size <= 1) return finite;
  const means: Point[] = [];
  for (let from = 0; from < finite.length; from += size) {
    const group = finite.slice(from, from + size);
    const [step] = group.at(-1) as Point;
    means.push([step, group.reduce((sum, [, value]) => sum + value, 0) / group.length]);
  }
  return means;
}

/** A chart of curves with points at different steps. Curves without points are left out. */
export function chartOf(
  title: string,
  labelled: readonly LabelledPoints[],
  rest: Pick<Chart, 'note' | 'isLogarithmic'> = {},
): Chart {
  const isDrawable = ([, value]: Point): boolean => rest.isLogarithmic !== true || value > 0;
  const thin = labelled
    .map(({ label, points }) => ({ label, points: thinned(points).filter(isDrawable) }))
    .filter(({ points }) => points.length > 0);
  const x = [...new Set(thin.flatMap(({ points }) => points.map(([step]) => step)))].sort((a, b) => a - b);
  const curves = thin.map(({ label, points }) => {
    const byStep = new Map(points);
    return { label, values: x.map((step) => byStep.get(step) ?? null), isPoints: points.length < FEW_POINTS };
  });
  const most = Math.max(0, ...labelled.map(({ points }) => points.length));
  const means = most > POINTS_MAX ? `Each point is the mean of ${Math.ceil(most / POINTS_MAX)} steps.` : '';
  const note = [rest.note ?? '', means].filter((text) => text !== '').join(' ');
  return {
    title,
    x,
    curves,
    ...(note !== '' && { note }),
    ...(rest.isLogarithmic && { isLogarithmic: true }),
  };
}
