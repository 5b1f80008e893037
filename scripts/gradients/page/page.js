/* Draws what was seen of backprop over a run. The page has uPlot and REPORT before this. */
const { recipe, looks, verdicts } = REPORT;
const [first] = looks;
document.getElementById('summary').textContent =
  `${recipe}: ${looks.length} looks, from step ${first.step + 1} to step ${looks.at(-1).step + 1}, each at ${first.samples} samples.`;
for (const text of verdicts) {
  const item = document.createElement('li');
  item.textContent = text;
  document.getElementById('verdicts').append(item);
}

const heaviest = ({ parameters }) => [...parameters].sort((a, b) => b.weightNorm - a.weightNorm)[0];
const CHARTS = [
  {
    title: 'Error terms dL/dy (root mean square of a sample)',
    of: ({ parameters, error }) => (parameters.length > 0 ? error : undefined),
  },
  { title: 'Gradients dL/dw (norm)', of: (layer) => heaviest(layer)?.gradientNorm },
  { title: 'Values y (root mean square)', of: ({ activation }) => activation },
  { title: 'Updates relative to weights |Δw| / |w|', of: (layer) => heaviest(layer)?.updateRatio },
  { title: 'Dead units (part of a layer)', of: ({ deadUnits }) => deadUnits, linear: true },
];

/** From blue (near the input) to red (near the loss). */
const colorOf = (place, count) => `hsl(${220 + (140 * place) / Math.max(1, count - 1)} 75% 48%)`;
/** On a logarithmic scale there is no place for 0. */
const drawable = (value, linear) => (Number.isFinite(value) && (linear || value > 0) ? value : null);

for (const { title, of, linear } of CHARTS) {
  const shown = first.layers
    .map((_, i) => i)
    .filter((i) => looks.some(({ layers }) => of(layers[i]) !== undefined));
  if (shown.length === 0) continue;
  const section = document.createElement('section');
  const heading = document.createElement('h2');
  heading.textContent = title;
  section.append(heading);
  document.querySelector('main').append(section);
  const columns = shown.map((i) => looks.map(({ layers }) => drawable(of(layers[i]), linear)));
  const options = {
    width: Math.min(1080, document.body.clientWidth),
    height: 320,
    scales: { x: { time: false }, y: linear ? { range: [0, 1] } : { distr: 3 } },
    axes: [
      { label: 'steps' },
      linear ? {} : { size: 70, values: (_plot, ticks) => ticks.map((tick) => tick?.toExponential(0) ?? '') },
    ],
    series: [
      { label: 'step' },
      ...shown.map((i, place) => ({
        label: first.layers[i].name,
        stroke: colorOf(place, shown.length),
        width: 1.5,
        points: { show: looks.length === 1 },
      })),
    ],
  };
  new uPlot(options, [looks.map(({ step }) => step), ...columns], section);
}
