/* What the charts show of a run. */
import type { LayersNews } from '../../shared/protocol/layer-news.js';
import type { CoursePoint, Evaluation } from '../../shared/protocol/watch-messages.js';
import type { ChartContent, Curve } from './chart-content.js';

/**
 * Spans of the course over which a rate is measured: a rate between two neighbouring points would jump, and steps that are
 * computed together are told within a moment.
 */
const RATE_SPAN_POINTS = 8;
const RATE_SPAN_S = 0.5;
/** Curves of gradient norms, as many as there are colours. */
const GRADIENT_CURVES = 4;

/** The training loss, and the losses of evaluations. */
export function lossChart(course: readonly CoursePoint[], evaluations: readonly Evaluation[]): ChartContent {
  const losses = evaluations.filter(({ metrics }) => Number.isFinite(metrics.testLoss));
  const training = course.filter(({ loss }) => Number.isFinite(loss));
  return merge([
    { label: 'training loss', points: training.map(({ step, loss }) => [step, loss]) },
    { label: 'test loss', points: losses.map(({ step, metrics }) => [step, metrics.testLoss as number]) },
  ]);
}

/** All other metrics of evaluations, at most four. */
export function metricsChart(evaluations: readonly Evaluation[]): ChartContent {
  const names = [...new Set(evaluations.flatMap(({ metrics }) => Object.keys(metrics)))];
  const shown = names.filter((name) => name !== 'testLoss').slice(0, 4);
  return merge(
    shown.map((name) => ({
      label: name,
      points: evaluations
        .filter(({ metrics }) => Number.isFinite(metrics[name]))
        .map(({ step, metrics }): [number, number] => [step, metrics[name] as number]),
    })),
  );
}

/** Gradient norms of at most four layers, spread over the depth of the network. */
export function gradientChart(inspections: readonly LayersNews[]): ChartContent {
  const names = [
    ...new Set(
      inspections.flatMap(({ layers }) =>
        layers.filter(({ gradientNorm }) => gradientNorm !== undefined).map(({ name }) => name),
      ),
    ),
  ];
  const count = Math.min(GRADIENT_CURVES, names.length);
  const shown = Array.from(
    { length: count },
    (_, i) => names[Math.round((i * (names.length - 1)) / Math.max(1, count - 1))] as string,
  );
  return merge(
    shown.map((name) => ({
      label: name,
      points: inspections.flatMap(({ step, layers }): [number, number][] => {
        const norm = layers.find((layer) => layer.name === name)?.gradientNorm;
        return norm !== undefined && Number.isFinite(norm) ? [[step, norm]] : [];
      }),
    })),
  );
}

/** Samples per second. */
export function rateChart(course: readonly CoursePoint[]): ChartContent {
  const points: [number, number][] = [];
  for (let i = RATE_SPAN_POINTS; i < course.length; i++) {
    const rate = rateBetween(spanBegin(course, i), course[i]);
    if (Number.isFinite(rate)) points.push([course[i]?.step as number, rate]);
  }
  return merge([{ label: 'samples/s', points }]);
}

/** Samples per second over all that is known; NaN before two points are known. */
export function meanRate(course: readonly CoursePoint[]): number {
  return rateBetween(course[0], course.at(-1));
}

/** Samples per second now; NaN before two points are known. */
export function currentRate(course: readonly CoursePoint[]): number {
  return rateBetween(spanBegin(course, course.length - 1) ?? course[0], course.at(-1));
}

/** Where the span begins that ends with this point; undefined before the course is as long. */
function spanBegin(course: readonly CoursePoint[], end: number): CoursePoint | undefined {
  const untilS = (course[end]?.seconds ?? 0) - RATE_SPAN_S;
  for (let i = end - RATE_SPAN_POINTS; i >= 0; i--) {
    const point = course[i] as CoursePoint;
    if (point.seconds <= untilS) return point;
  }
  return undefined;
}

function rateBetween(from: CoursePoint | undefined, to: CoursePoint | undefined): number {
  if (from === undefined || to === undefined || to.seconds <= from.seconds) return Number.NaN;
  return (to.samples - from.samples) / (to.seconds - from.seconds);
}

interface LabelledPoints {
  readonly label: string;
  readonly points: readonly (readonly [x: number, y: number])[];
}

/** Curves with points at different steps on one axis. Curves without points are left out. */
function merge(labelled: readonly LabelledPoints[]): ChartContent {
  const drawn = labelled.filter(({ points }) => points.length > 0);
  const x = [...new Set(drawn.flatMap(({ points }) => points.map(([at]) => at)))].sort((a, b) => a - b);
  const curves = drawn.map(({ label, points }): Curve => {
    const byStep = new Map(points);
    return { label, values: x.map((at) => byStep.get(at) ?? null), isPoints: points.length < 64 };
  });
  return { x, curves };
}
