/* Draws the inspected gradients of a run. Earlier scripts define uPlot and REPORT. */
const { recipe, inspections, problems } = REPORT;
const [first] = inspections;
document.getElementById('summary').textContent =
  `${recipe}: ${inspections.length} inspections, from step ${first.step + 1} to step ${inspections.at(-1).step + 1}, ${first.samples} samples each.`;
for (const text of problems) {
  const item = document.createElement('li');
  item.textContent = text;
  document.getElementById('problems').append(item);
}

const largestOf = ({ parameters }) => [...parameters].sort((a, b) => b.weightNorm - a.weightNorm)[0];
const CHARTS = [
  {
    title: 'Error terms dL/dy (root mean square of a sample)',
    of: ({ parameters, error }) => (parameters.length > 0 ? error : undefined),
  },
  { title: 'Gradients dL/dw (norm)', of: (layer) => largestOf(layer)?.gradientNorm },
  { title: 'Activations y (root mean square)', of: ({ activation }) => activation },
  { title: 'Updates relative to weights |Δw| / |w|', of: (layer) => largestOf(layer)?.updateRatio },
  { title: 'Dead units (share of a layer)', of: ({ deadUnits }) => deadUnits, linear: true },
];

/** From blue (near the input) to red (near the loss). */
const colorOf = (place, count) => `hsl(${220 + (140 * place) / Math.max(1, count - 1)} 75% 48%)`;
/** A logarithmic scale has no 0. */
const drawable = (value, linear) => (Number.isFinite(value) && (linear || value > 0) ? value : null);

for (const { title, of, linear } of CHARTS) {
  const shown = first.layers
    .map((_, i) => i)
    .filter((i) => inspections.some(({ layers }) => of(layers[i]) !== undefined));
  if (shown.length === 0) continue;
  const section = document.createElement('section');
  const heading = document.createElement('h2');
  heading.textContent = title;
  section.append(heading);
  document.querySelector('main').append(section);
  const columns = shown.map((i) => inspections.map(({ layers }) => drawable(of(layers[i]), linear)));
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
        points: { show: inspections.length === 1 },
      })),
    ],
  };
  new uPlot(options, [inspections.map(({ step }) => step), ...columns], section);
}
