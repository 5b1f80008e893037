import type { GradientStats, LayerStats } from '../../../shared/engine/passes/gradient-inspector.js';

/** Error terms that change by this factor from the last layer to the first have vanished or exploded. */
const FACTOR = 1000;
/** Share of dead units above which a layer hardly distinguishes samples. */
const DEAD_SHARE_MAX = 0.5;
/** Activations of this size approach the limits of float32 and saturate softmax. */
const HUGE = 1e4;

/**
 * Problems that an inspection of the gradients shows, one line each with the usual remedies; none when all is well. The
 * error terms of the first and the last trained layer are compared: backprop multiplies them once for each layer between.
 */
export function diagnose({ layers }: Pick<GradientStats, 'layers'>): string[] {
  const trained = layers.filter((layer) => layer.parameters.length > 0 && layer.error !== undefined);
  const [first, last] = [trained[0], trained.at(-1)];
  if (first === undefined || last === undefined || first === last) return [];
  const lines: string[] = [];
  const [begin, end] = [first.error as number, last.error as number];
  const growth = begin / end;
  if (growth < 1 / FACTOR)
    lines.push(
      `error terms vanish: ${formatShort(end)} in ${last.name}, ${formatShort(begin)} in ${first.name}; try relu with heNormal weights, normalisation, or residual connections (add)`,
    );
  if (growth > FACTOR || !Number.isFinite(growth))
    lines.push(
      `error terms explode: ${formatShort(end)} in ${last.name}, ${formatShort(begin)} in ${first.name}; try heNormal or glorotUniform weights, normalisation, or --clip-norm 1`,
    );
  const exploded = layers.find(({ activation }) => !(activation < HUGE));
  if (exploded !== undefined)
    lines.push(
      `activations explode: ${formatShort(exploded.activation)} after ${exploded.name}; try heNormal or glorotUniform weights, or normalisation`,
    );
  const dead = layers.filter(isDead);
  if (dead.length > 0)
    lines.push(
      `most units are dead in ${dead.map(({ name }) => name).join(', ')}; try a lower --lr, or leakyRelu`,
    );
  return lines;
}

function isDead({ deadUnits }: LayerStats): boolean {
  return deadUnits !== undefined && deadUnits > DEAD_SHARE_MAX;
}

/** A number with two significant digits. */
export function formatShort(value: number | undefined): string {
  if (value === undefined) return '-';
  if (value === 0 || !Number.isFinite(value)) return String(value);
  return value >= 0.01 && value < 1000 ? String(Number(value.toPrecision(2))) : value.toExponential(1);
}
