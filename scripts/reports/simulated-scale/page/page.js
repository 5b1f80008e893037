/* Draws curves over numbers of simulated workers. Earlier scripts define uPlot, design and REPORT. */
const { title, machine, points } = REPORT;
const COLORS = ['--curve-1', '--curve-2', '--curve-3', '--curve-4', '--quiet', '--line'];
const HEIGHT = 280;
const LOGARITHMIC = 3;

document.querySelector('h1').textContent = title;
document.getElementById('machine').textContent = machine;

const kinds = [...new Set(points.map(({ kind }) => kind))];
const counts = [...new Set(points.map(({ workers }) => workers))].sort((a, b) => a - b);

/** One quantity over the number of workers, a curve for each kind. */
function drawCurves(name) {
  // A logarithmic axis has no place for 0.
  const values = kinds.map((kind) =>
    counts.map(
      (count) => points.find((point) => point.kind === kind && point.workers === count)?.[name] || null,
    ),
  );
  const place = document.getElementById(name);
  const optionsOf = (width) => ({
    width,
    height: HEIGHT,
    scales: { x: { time: false, distr: LOGARITHMIC }, y: { distr: LOGARITHMIC } },
    axes: [design.axis({ label: 'workers' }), design.axis({ size: 70 })],
    series: [
      { label: 'workers' },
      ...kinds.map((kind, i) => ({
        label: kind,
        stroke: design.colour(COLORS[i % COLORS.length]),
        width: 2,
        spanGaps: true,
        points: { show: true, size: 7 },
      })),
    ],
  });
  design.keepDrawn(place, (width) => new uPlot(optionsOf(width), [counts, ...values], place));
}

for (const name of ['stepMs', 'workPerSecond', 'coordinatorMs', 'heapMiB', 'lateWorkerMs']) drawCurves(name);

const COLUMNS = [
  'kind',
  'workers',
  'relays',
  'stepMs',
  'workPerSecond',
  'coordinatorMs',
  'coordinatorBytes',
  'heapMiB',
  'joinMs',
  'killedWorkerMs',
  'killedRelayMs',
  'lateWorkerMs',
  'lateRelayMs',
];
const table = document.getElementById('results');
const addRow = (cells, tag) => {
  const row = table.insertRow();
  for (const text of cells) row.appendChild(document.createElement(tag)).textContent = text;
};
addRow(COLUMNS, 'th');
for (const point of points)
  addRow(
    COLUMNS.map((name) => {
      const value = point[name];
      return typeof value === 'number' ? String(Number(value.toPrecision(4))) : (value ?? '-');
    }),
    'td',
  );
