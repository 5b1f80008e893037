import type { LayerStep, NeuronStep, StepWalk } from './walk.js';

/** Formulas of an activation, and of its derivative in terms of the value y. */
const ACTIVATIONS: Readonly<Record<string, { readonly y: string; readonly slope: (y: number) => string }>> = {
  sigmoid: { y: '1 / (1 + exp(-z))', slope: (y) => `${number(y)} (1 - ${number(y)})` },
  tanh: { y: 'tanh(z)', slope: (y) => `(1 - ${number(y)}²)` },
  relu: { y: 'max(z, 0)', slope: (y) => (y > 0 ? '1' : '0') },
  linear: { y: 'z', slope: () => '1' },
};

/** Five decimals, so that columns line up; exponential notation where they do not suffice. */
function number(value: number): string {
  const size = Math.abs(value);
  const text = size !== 0 && (size < 1e-4 || size >= 1e4) ? value.toExponential(2) : value.toFixed(5);
  return value < 0 ? text : ` ${text}`;
}

/**
 * A step as text: forward pass layer by layer, loss, error terms in reverse order, updates.
 * @param isColoured whether the terminal shows colours
 */
export function describeWalk(walk: StepWalk, isColoured: boolean): string[] {
  const paint = (code: number, text: string): string =>
    isColoured ? `\u001b[${code}m${text}\u001b[0m` : text;
  const { layers, targets, learningRate } = walk;
  const last = layers.length - 1;
  const heading = (code: number, text: string): string[] => ['', paint(code, text)];
  return [
    paint(1, `${walk.net}: ${walk.summary}`),
    `step ${walk.step}, learning rate ${learningRate}, seed ${walk.seed}, one sample: x = [${list(walk.inputs)} ], t = [${list(targets)} ]`,
    ...layers.flatMap((layer, l) => [
      ...heading(
        34,
        `forward, layer ${l + 1} (${layer.name}, ${layer.activation}):  z = sum w x + b,  ${activationFormula(layer)}`,
      ),
      ...layer.neurons.map((neuron, i) => forwardLine(layer, neuron, i)),
    ]),
    ...heading(
      33,
      `loss: ${walk.lossName === 'meanSquaredError' ? 'L = (1/n) sum (y - t)²' : 'L = -sum t ln p'}  =  ${number(walk.loss)}`,
    ),
    ...[...layers]
      .reverse()
      .flatMap((layer, back) => [
        ...heading(31, `backward, layer ${last - back + 1}:  ${deltaFormula(layer)}`),
        ...layer.neurons.map((neuron, i) => backwardLine(layer, neuron, i, layers[last - back + 1], walk)),
      ]),
    ...layers.flatMap((layer, l) => [
      ...heading(32, `update, layer ${l + 1}:  dL/dw = delta x,  w <- w - ${learningRate} dL/dw`),
      ...layer.neurons.flatMap((neuron, i) => updateLines(layer, neuron, i, learningRate)),
    ]),
    ...heading(1, 'size of the error terms, mean |delta|, layer by layer:'),
    ...layers.map((layer, l) => `  ${l + 1}:  ${errorSize(layer).toExponential(3)}`),
  ];
}

const list = (values: readonly number[]): string => values.map(number).join(' ');

function activationFormula({ activation }: LayerStep): string {
  return activation === 'softmax' ? 'p = exp(z) / sum exp(z)' : `y = ${ACTIVATIONS[activation]?.y}`;
}

function forwardLine({ x }: LayerStep, { weights, bias, z, y }: NeuronStep, i: number): string {
  const products = weights.map((w, j) => `${number(w)} ·${number(x[j] as number)}`).join(' + ');
  return `  ${i + 1}:  z = ${products} + ${number(bias)} = ${number(z)}   y = ${number(y)}`;
}

function deltaFormula({ activation }: LayerStep): string {
  return activation === 'softmax' ? 'delta = p - t' : 'delta = dL/dz = dL/dy · dy/dz';
}

function backwardLine(
  { activation }: LayerStep,
  { y, dy, delta }: NeuronStep,
  i: number,
  next: LayerStep | undefined,
  { targets }: StepWalk,
): string {
  const n = targets.length;
  const t = targets[i] as number;
  if (dy === undefined) return `  ${i + 1}:  delta = ${number(y)} - ${number(t)} = ${number(delta)}`;
  const passed =
    next === undefined
      ? `${2 / n} (${number(y)} - ${number(t)})`
      : next.neurons
          .map(({ weights, delta }) => `${number(weights[i] as number)} ·${number(delta)}`)
          .join(' + ');
  return `  ${i + 1}:  dL/dy = ${passed} = ${number(dy)}   delta = ${number(dy)} · ${ACTIVATIONS[activation]?.slope(y)} = ${number(delta)}`;
}

function updateLines({ x }: LayerStep, neuron: NeuronStep, i: number, rate: number): string[] {
  const { weights, bias, delta, weightGradients, biasGradient, newWeights, newBias } = neuron;
  return [
    ...weights.map(
      (w, j) =>
        `  ${i + 1}:  w${j + 1}: dL/dw = ${number(delta)} ·${number(x[j] as number)} = ${number(weightGradients[j] as number)}   ` +
        `${number(w)} - ${rate} ·${number(weightGradients[j] as number)} = ${number(newWeights[j] as number)}`,
    ),
    `  ${i + 1}:  b:  dL/db = ${number(delta)}              = ${number(biasGradient)}   ${number(bias)} - ${rate} ·${number(biasGradient)} = ${number(newBias)}`,
  ];
}

/** Mean size of a layer's error terms. In a deep network with an unsuitable activation it vanishes or explodes. */
export function errorSize({ neurons }: LayerStep): number {
  return neurons.reduce((sum, { delta }) => sum + Math.abs(delta), 0) / neurons.length;
}
