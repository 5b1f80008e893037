import type { GradientFigures, LayerFigures } from '../../shared/engine/gradient-watch.js';

/** Error terms that change by this factor from the last layer to the first have vanished, or exploded. */
const FACTOR = 1000;
/** Layers that hardly tell samples apart: most units dead. */
const MOST_DEAD = 0.5;
/** Outputs of this size leave float32 little room, and softmax no doubt. */
const HUGE = 1e4;

/**
 * What a look at backprop shows, in one line each, with the usual cure; nothing where all is well. The first and the
 * last trained layer are compared: between them an error term is multiplied once for every layer.
 */
export function verdicts({ layers }: Pick<GradientFigures, 'layers'>): string[] {
  const trained = layers.filter((layer) => layer.parameters.length > 0 && layer.error !== undefined);
  const [first, last] = [trained[0], trained.at(-1)];
  if (first === undefined || last === undefined || first === last) return [];
  const lines: string[] = [];
  const [begin, end] = [first.error as number, last.error as number];
  const growth = begin / end;
  if (growth < 1 / FACTOR)
    lines.push(
      `error terms vanish: ${shown(end)} in ${last.name}, ${shown(begin)} in ${first.name}; try relu with heNormal weights, normalisation, or a way around (add)`,
    );
  if (growth > FACTOR || !Number.isFinite(growth))
    lines.push(
      `error terms explode: ${shown(end)} in ${last.name}, ${shown(begin)} in ${first.name}; try heNormal or glorotUniform weights, normalisation, or --clip-norm 1`,
    );
  const swollen = layers.find(({ activation }) => !(activation < HUGE));
  if (swollen !== undefined)
    lines.push(
      `values explode: ${shown(swollen.activation)} behind ${swollen.name}; try heNormal or glorotUniform weights, or normalisation`,
    );
  const dead = layers.filter(isDead);
  if (dead.length > 0)
    lines.push(
      `most units are dead in ${dead.map(({ name }) => name).join(', ')}; try a lower --lr, or leakyRelu`,
    );
  return lines;
}

function isDead({ deadUnits }: LayerFigures): boolean {
  return deadUnits !== undefined && deadUnits > MOST_DEAD;
}

/** A number with two digits, as people read it. */
export function shown(value: number | undefined): string {
  if (value === undefined) return '-';
  if (value === 0 || !Number.isFinite(value)) return String(value);
  return value >= 0.01 && value < 1000 ? String(Number(value.toPrecision(2))) : value.toExponential(1);
}
