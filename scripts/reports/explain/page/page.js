/* Draws one step of backpropagation, stage by stage. REPORT, the step, is defined by an earlier script. */
const { layers, inputs, targets, loss, lossName, learningRate, step, seed, summary } = REPORT;
const SVG = 'http://www.w3.org/2000/svg';
const COLUMN = 190;
const ROW = 106;
const RADIUS = 36;
const SLOPES = {
  sigmoid: (y) => `${format(y)} (1 − ${format(y)})`,
  tanh: (y) => `(1 − ${format(y)}²)`,
  relu: (y) => (y > 0 ? '1' : '0'),
  linear: () => '1',
};
const FUNCTIONS = {
  sigmoid: '1 / (1 + exp(-z))',
  tanh: 'tanh(z)',
  relu: 'max(z, 0)',
  linear: 'z',
  softmax: 'exp(z) / Σ exp(z)',
};
const isSquared = lossName === 'meanSquaredError';

/** Four decimals; exponential notation where they do not suffice. */
function format(value) {
  const size = Math.abs(value);
  const text = size !== 0 && (size < 1e-4 || size >= 1e4) ? value.toExponential(2) : value.toFixed(4);
  return text.replaceAll('-', '−');
}

/** An activation function with its numbers filled in; for softmax, those of the whole layer. */
function applied({ activation, neurons: all }, { z }) {
  const exps = () => all.map((neuron) => `exp(${format(neuron.z)})`).join(' + ');
  return {
    sigmoid: () => `1 / (1 + exp(${format(-z)}))`,
    tanh: () => `tanh(${format(z)})`,
    relu: () => `max(${format(z)}, 0)`,
    linear: () => format(z),
    softmax: () => `exp(${format(z)}) / (${exps()})`,
  }[activation]();
}

const stages = [
  ...layers.map((layer, l) => ({
    kind: 'forward',
    layer: l,
    name: `Forward ${l + 1}`,
    text: `Layer ${l + 1} computes the weighted sum of its inputs, z = Σ w x + b, and applies ${layer.activation}: y = ${FUNCTIONS[layer.activation]}.`,
  })),
  {
    kind: 'loss',
    layer: layers.length - 1,
    name: 'Loss',
    text: `The loss compares the output with the target: ${isSquared ? 'L = (1/n) Σ (y − t)²' : 'L = −Σ t ln p'} = ${format(loss)}.`,
  },
  ...layers
    .map((layer, l) => ({
      kind: 'backward',
      layer: l,
      name: `Backward ${l + 1}`,
      text:
        layer.activation === 'softmax'
          ? 'Softmax and cross-entropy together have a simple error term: δ = p − t.'
          : `The error term of layer ${l + 1} is the error passed back, Σ w δ, times the derivative of ${layer.activation}: δ = dL/dz.`,
    }))
    .reverse(),
  {
    kind: 'update',
    layer: -1,
    name: 'Update',
    text: `Each weight moves against its gradient: dL/dw = δ x, w ← w − ${learningRate} · dL/dw.`,
  },
];
let at = 0;
let chosen = { layer: 0, neuron: 0 };

document.getElementById('about').textContent =
  `${summary}. Step ${step}, seed ${seed}, learning rate ${learningRate}; one sample, x = [${inputs.map(format).join(', ')}], ` +
  `target [${targets.map(format).join(', ')}]. Every number was read from the memory of the training kernels.`;

function element(name, attributes, parent, text) {
  const made = document.createElementNS(SVG, name);
  for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
  if (text !== undefined) made.textContent = text;
  parent.appendChild(made);
  return made;
}

const columns = [inputs.length, ...layers.map(({ neurons }) => neurons.length)];
const height = Math.max(...columns) * ROW + 60;
const width = (columns.length + 1) * COLUMN - 40;
const placeOf = (column, i) => ({
  x: 80 + column * COLUMN,
  y: 46 + (height - 46) / 2 + (i - (columns[column] - 1) / 2) * ROW,
});
const drawing = element(
  'svg',
  { viewBox: `0 0 ${width} ${height}`, role: 'group', 'aria-label': 'The network' },
  document.getElementById('stage'),
);
// A deep network is wider than a window: it scrolls instead of shrinking.
drawing.style.minWidth = `${columns.length * 150}px`;
const wires = [];
const neurons = [];
drawNetwork();

function drawNetwork() {
  columns.forEach((_, column) => {
    const { activation } = layers[column - 1] ?? {};
    const title = column === 0 ? 'inputs' : `layer ${column}: ${activation}`;
    element('text', { x: placeOf(column, 0).x, y: 26, class: 'faint' }, drawing, title);
  });
  layers.forEach((layer, l) => {
    layer.neurons.forEach((_, i) => {
      layer.x.forEach((_, j) => {
        const [from, to] = [placeOf(l, j), placeOf(l + 1, i)];
        const middle = (from.x + to.x) / 2;
        const d = `M${from.x + RADIUS} ${from.y} C${middle} ${from.y} ${middle} ${to.y} ${to.x - RADIUS} ${to.y}`;
        wires.push({ layer: l, neuron: i, input: j, path: element('path', { d, class: 'wire' }, drawing) });
      });
    });
  });
  for (const [i, value] of inputs.entries()) drawNeuron(-1, i, value);
  for (const [l, layer] of layers.entries()) for (const i of layer.neurons.keys()) drawNeuron(l, i);
  const out = placeOf(columns.length - 1, 0).x + COLUMN - 40;
  element('text', { x: out, y: 26, class: 'faint' }, drawing, 'loss');
  element('text', { x: out, y: 46 + (height - 46) / 2, class: 'value', id: 'loss' }, drawing, '');
}

function drawNeuron(layer, i, value) {
  const { x, y } = placeOf(layer + 1, i);
  const isInput = layer < 0;
  const group = element(
    'g',
    isInput ? { class: 'neuron' } : { class: 'neuron', tabindex: 0, role: 'button' },
    drawing,
  );
  element('circle', { cx: x, cy: y, r: RADIUS }, group);
  const main = element('text', { x, y: y + 5, class: 'value' }, group, isInput ? format(value) : '');
  const below = element('text', { x, y: y + RADIUS + 16, class: 'faint' }, group, isInput ? `x${i + 1}` : '');
  if (isInput) return;
  neurons.push({ layer, neuron: i, group, main, below });
  const choose = () => {
    chosen = { layer, neuron: i };
    show();
  };
  for (const event of ['pointerenter', 'focus', 'click']) group.addEventListener(event, choose);
}

/** A neuron's two lines of text at a stage: its value until its error term is known, then the error term. */
function textsOf(layer, neuron) {
  const { y, delta, newWeights, weights } = layers[layer].neurons[neuron];
  const order = stages.findIndex((stage) => stage.kind === 'backward' && stage.layer === layer);
  if (stages[at].kind === 'update') {
    const moves = newWeights.map((w, j) => Math.abs(w - weights[j]));
    return [format(Math.max(...moves)), 'largest change'];
  }
  if (at >= order) return [format(delta), `δ   (y ${format(y)})`];
  return at >= layer ? [format(y), `y${neuron + 1}`] : ['', `y${neuron + 1}`];
}

function show() {
  const stage = stages[at];
  document.body.dataset.kind = stage.kind;
  document.getElementById('caption').textContent = stage.text;
  [...document.querySelectorAll('#stages button')].forEach((button, i) => {
    if (i === at) button.setAttribute('aria-current', 'step');
    else button.removeAttribute('aria-current');
  });
  document.getElementById('back').disabled = at === 0;
  document.getElementById('next').disabled = at === stages.length - 1;
  const isLit = (layer) => stage.kind === 'update' || layer === stage.layer;
  for (const { layer, neuron, group, main, below } of neurons) {
    const isChosen = layer === chosen.layer && neuron === chosen.neuron;
    const [value, note] = textsOf(layer, neuron);
    main.textContent = value;
    // What is seen must be what is read aloud, so the space is part of the text.
    below.textContent = ` ${note}`;
    group.setAttribute('class', `neuron${isLit(layer) ? ' lit' : ''}${isChosen ? ' chosen' : ''}`);
    const label = `Layer ${layer + 1}, neuron ${neuron + 1}: ${value} ${note}`;
    group.setAttribute('aria-label', label);
    group.setAttribute('aria-pressed', String(isChosen));
  }
  for (const { layer, neuron, path } of wires) {
    // Error terms come from the next layer, so its wires are the ones to highlight.
    const flows =
      (stage.kind === 'forward' && layer === stage.layer) ||
      (stage.kind === 'backward' && layer === stage.layer + 1) ||
      stage.kind === 'update';
    const isChosen = layer === chosen.layer && neuron === chosen.neuron;
    const reverse = stage.kind === 'backward' ? ' reverse' : '';
    path.setAttribute('class', `wire${flows ? ` lit${reverse}` : ''}${isChosen ? ' chosen' : ''}`);
  }
  document.getElementById('loss').textContent = at >= layers.length ? format(loss) : '';
  showFormula();
}

function showFormula() {
  const { layer, neuron } = chosen;
  const { x, activation, neurons: all } = layers[layer];
  const it = all[neuron];
  const box = document.getElementById('formula');
  box.replaceChildren();
  const heading = document.createElement('h2');
  heading.textContent = `Layer ${layer + 1}, neuron ${neuron + 1}`;
  const lines = document.createElement('pre');
  for (const [left, right, value] of FORMULAS[stages[at].kind]({ it, x, activation, layer, neuron })) {
    lines.append(`${left} = ${right} = `);
    const result = document.createElement('b');
    result.textContent = value;
    lines.append(result, '\n');
  }
  box.append(heading, lines);
}

const FORMULAS = {
  forward: ({ it, x, activation, layer }) => [
    [
      'z',
      `${it.weights.map((w, j) => `${format(w)} · ${format(x[j])}`).join(' + ')} + ${format(it.bias)}`,
      format(it.z),
    ],
    [activation === 'softmax' ? 'p' : 'y', applied(layers[layer], it), format(it.y)],
  ],
  loss: ({ layer, neuron, it }) => {
    if (layer < layers.length - 1) return FORMULAS.forward({ ...chosenParts(layer, neuron) });
    const outputs = layers[layer].neurons;
    const terms = isSquared
      ? outputs.map(({ y }, i) => `(${format(y)} − ${format(targets[i])})²`)
      : outputs.map(({ y }, i) => `${format(targets[i])} · ln ${format(y)}`);
    const share = isSquared ? `1/${outputs.length} · (${terms.join(' + ')})` : `−(${terms.join(' + ')})`;
    return [
      [isSquared ? 'y' : 'p', applied(layers[layer], it), format(it.y)],
      ['L', share, format(loss)],
    ];
  },
  backward: ({ it, activation, layer, neuron }) => {
    if (it.dy === undefined)
      return [['δ = p − t', `${format(it.y)} − ${format(targets[neuron])}`, format(it.delta)]];
    const next = layers[layer + 1];
    const passed = next
      ? next.neurons.map(({ weights, delta }) => `${format(weights[neuron])} · ${format(delta)}`).join(' + ')
      : `2/${targets.length} · (${format(it.y)} − ${format(targets[neuron])})`;
    return [
      [next ? 'dL/dy = Σ w δ' : 'dL/dy', passed, format(it.dy)],
      ['δ = dL/dy · dy/dz', `${format(it.dy)} · ${SLOPES[activation](it.y)}`, format(it.delta)],
    ];
  },
  update: ({ it, x }) => [
    ...it.weights.flatMap((w, j) => [
      [`dL/dw${j + 1} = δ x${j + 1}`, `${format(it.delta)} · ${format(x[j])}`, format(it.weightGradients[j])],
      [
        `w${j + 1}`,
        `${format(w)} − ${learningRate} · ${format(it.weightGradients[j])}`,
        format(it.newWeights[j]),
      ],
    ]),
    ['b', `${format(it.bias)} − ${learningRate} · ${format(it.biasGradient)}`, format(it.newBias)],
  ],
};

function chosenParts(layer, neuron) {
  const { x, activation, neurons: all } = layers[layer];
  return { it: all[neuron], x, activation, layer };
}

function go(to) {
  at = Math.min(Math.max(to, 0), stages.length - 1);
  const { layer } = stages[at];
  if (layer >= 0 && layer !== chosen.layer) chosen = { layer, neuron: 0 };
  show();
  showColumn();
}

/** Scrolls a drawing that is wider than the window to the stage's layer. */
function showColumn() {
  const box = document.getElementById('stage');
  const share = placeOf(chosen.layer + 1, 0).x / width;
  box.scrollLeft = share * drawing.getBoundingClientRect().width - box.clientWidth / 2;
}

stages.forEach(({ name }, i) => {
  const button = document.createElement('button');
  button.type = 'button';
  button.textContent = name;
  button.addEventListener('click', () => go(i));
  document.getElementById('stages').appendChild(document.createElement('li')).appendChild(button);
});
document.getElementById('back').addEventListener('click', () => go(at - 1));
document.getElementById('next').addEventListener('click', () => go(at + 1));
document.addEventListener('keydown', ({ key }) => {
  if (key === 'ArrowRight') go(at + 1);
  if (key === 'ArrowLeft') go(at - 1);
});
// A link may select a stage: page.html#4.
go(Number(location.hash.slice(1)) || 0);
