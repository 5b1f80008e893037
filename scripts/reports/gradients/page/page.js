/* Draws the inspected gradients of a run. Earlier scripts define uPlot, design and REPORT. */
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

/** From dark blue (near the input) to bright yellow (near the loss), as in cividis: colour-blind eyes see the order too. */
const colorOf = (place, count) => {
  const part = place / Math.max(1, count - 1);
  return `hsl(${225 - 175 * part} 70% ${matchMedia('(prefers-color-scheme: dark)').matches ? 75 - 20 * part : 30 + 16 * part}%)`;
};
/** A logarithmic scale has no 0. */
const drawable = (value, linear) => (Number.isFinite(value) && (linear || value > 0) ? value : null);

for (const { title, of, linear } of CHARTS) {
  const shown = first.layers
    .map((_, i) => i)
    .filter((i) => inspections.some(({ layers }) => of(layers[i]) !== undefined));
  if (shown.length === 0) continue;
  const section = document.createElement('section');
  section.className = 'card full';
  const heading = document.createElement('h2');
  heading.textContent = title;
  section.append(heading);
  document.querySelector('main').append(section);
  const columns = shown.map((i) => inspections.map(({ layers }) => drawable(of(layers[i]), linear)));
  const place = section.appendChild(document.createElement('div'));
  place.setAttribute('role', 'img');
  place.setAttribute('aria-label', title);
  design.keepDrawn(place, (width) => {
    const powers = (_plot, ticks) => ticks.map((tick) => tick?.toExponential(0) ?? '');
    const options = {
      width,
      height: 320,
      scales: { x: { time: false }, y: linear ? { range: [0, 1] } : { distr: 3 } },
      axes: [design.axis({ label: 'steps' }), design.axis(linear ? {} : { size: 70, values: powers })],
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
    return new uPlot(options, [inspections.map(({ step }) => step), ...columns], place);
  });
}
