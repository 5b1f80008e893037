/* Draws the report of a scaling benchmark. Earlier scripts define uPlot, design and REPORT. */
const { title, machine, peer, results } = REPORT;
const COLORS = {
  workers: '--curve-1',
  threads: '--curve-3',
  remote: '--curve-2',
  joined: '--curve-4',
  ddp: '--quiet',
};
const NAMES = {
  workers: 'local workers',
  threads: 'threads of one worker',
  remote: 'worker processes',
  joined: 'one local worker, processes join',
  ddp: 'PyTorch DDP',
};
const PARTS = {
  compute: '--curve-1',
  wait: '--line',
  wire: '--curve-2',
  reduce: '--curve-4',
  update: '--curve-3',
};
const HEIGHT = 280;

document.querySelector('h1').textContent = title;
document.getElementById('machine').textContent = machine;
document.getElementById('peer').textContent = peer ?? '';

/** Labels for whole numbers only. */
const wholeTicks = (_plot, ticks) => ticks.map((tick) => (Number.isInteger(tick) ? String(tick) : ''));
const labelOf = ({ mode, spread, workers, oversubscribed, exchange }) =>
  `${mode} ${spread} ${workers}${oversubscribed ? '*' : ''}${exchange === 'step' ? '' : ` ${exchange}`}`;

/** Curves over the number of units. */
function drawCurves(id, curves, ideal) {
  const drawNoise = (plot) => {
    const { ctx } = plot;
    ctx.save();
    ctx.lineWidth = 2 * devicePixelRatio;
    for (const { color, points } of curves) {
      ctx.strokeStyle = design.colour(color);
      for (const [x, , low, high] of points) {
        if (low === undefined) continue;
        const at = plot.valToPos(x, 'x', true);
        ctx.beginPath();
        ctx.moveTo(at, plot.valToPos(low, 'y', true));
        ctx.lineTo(at, plot.valToPos(high, 'y', true));
        ctx.stroke();
      }
    }
    ctx.restore();
  };
  const units = [...new Set(curves.flatMap(({ points }) => points.map(([x]) => x)))].sort((a, b) => a - b);
  const lines = curves.map(({ name, color, dash, points }) => ({
    values: units.map((x) => points.find(([at]) => at === x)?.[1] ?? null),
    series: { label: name, color, width: 2, dash, spanGaps: true, points: { show: true, size: 7 } },
  }));
  lines.push({ values: units.map(ideal), series: { label: 'ideal', color: '--quiet', dash: [6, 4] } });
  const place = document.getElementById(id);
  const optionsOf = (width) => ({
    width,
    height: HEIGHT,
    hooks: { draw: [drawNoise] },
    scales: {
      x: { time: false, range: (_plot, low, high) => [low - 0.2, high + 0.2] },
      y: { range: (_plot, _low, high) => [0, high * 1.1] },
    },
    axes: [
      design.axis({ values: wholeTicks, incrs: [1, 2, 4, 8, 16, 32, 64], label: 'units' }),
      design.axis(),
    ],
    series: [
      { label: 'units' },
      ...lines.map(({ series: { color, ...series } }) => ({ ...series, stroke: design.colour(color) })),
    ],
  });
  design.keepDrawn(
    place,
    (width) => new uPlot(optionsOf(width), [units, ...lines.map(({ values }) => values)], place),
  );
}

/** One bar for each row; the parts of a row are stacked. */
function drawBars(id, rows, parts) {
  const places = rows.map((_, i) => i);
  const bars = uPlot.paths.bars({ size: [0.6, 70] });
  const stacks = parts.map((_, depth) =>
    rows.map((row) => parts.slice(0, depth + 1).reduce((sum, { value }) => sum + Math.max(0, value(row)), 0)),
  );
  // The tallest stack first: later ones are drawn over its lower part.
  const layers = parts
    .map((part, i) => ({
      values: stacks[i],
      series: {
        label: part.name,
        color: part.color,
        width: 0,
        paths: bars,
        points: { show: false },
        value: (_plot, _value, _series, at) => (at == null ? '' : part.value(rows[at]).toFixed(1)),
      },
    }))
    .reverse();
  const place = document.getElementById(id);
  const optionsOf = (width) => ({
    width,
    height: HEIGHT + 60,
    padding: [10, 46, 0, 0],
    scales: {
      x: { time: false, range: [-0.6, rows.length - 0.4] },
      y: { range: (_plot, _low, high) => [0, high * 1.1 || 1] },
    },
    axes: [
      design.axis({
        splits: () => places,
        values: () => rows.map(labelOf),
        rotate: -40,
        size: 100,
        grid: { show: false },
      }),
      design.axis({ size: 76 }),
    ],
    series: [
      { label: 'point', value: (_plot, _value, _series, at) => (at == null ? '' : labelOf(rows[at])) },
      ...layers.map(({ series: { color, ...series } }) => ({
        ...series,
        fill: design.colour(color),
        stroke: design.colour(color),
      })),
    ],
  });
  design.keepDrawn(
    place,
    (width) => new uPlot(optionsOf(width), [places, ...layers.map(({ values }) => values)], place),
  );
}

/** @param kind a spread and an exchange */
function curve({ spread, exchange }, mode, metric, dash) {
  const points = results
    .filter(
      (result) =>
        result.spread === spread &&
        result.exchange === exchange &&
        result.mode === mode &&
        result[metric] !== undefined,
    )
    .map((result) => {
      // As fast as the fastest run, as slow as the slowest.
      const at = (us) => (result[metric] * result.usPerStep) / us;
      return [result.workers, result[metric], at(result.slowestUsPerStep), at(result.fastestUsPerStep)];
    });
  // One thread is the point of one worker, so the curve of threads lacks it. Every curve begins at 1.
  if (points.length > 0 && points[0][0] !== 1) points.unshift([1, 1]);
  const kind = exchange === 'step' ? NAMES[spread] : `${NAMES[spread]}, ${exchange}`;
  const name = metric === 'speedUp' ? kind : `${kind}, ${mode}`;
  return { name, color: COLORS[spread], dash: dash ?? DASHES[exchanges.indexOf(exchange)], points };
}

const exchanges = [...new Set(results.map(({ exchange }) => exchange))];
/** By exchange: a line is told by more than its colour. */
const DASHES = [undefined, [8, 3], [3, 3], [12, 3, 3, 3], [16, 4]];
const spreads = [...new Set(results.map(({ spread }) => spread))];
const kinds = exchanges
  .flatMap((exchange) => spreads.map((spread) => ({ spread, exchange })))
  .filter((kind) =>
    results.some(({ spread, exchange }) => spread === kind.spread && exchange === kind.exchange),
  );
const some = ({ points }) => points.length > 0;
drawCurves('strong', kinds.map((kind) => curve(kind, 'strong', 'speedUp')).filter(some), (x) => x);
drawCurves(
  'efficiency',
  kinds
    .flatMap((kind) => [curve(kind, 'strong', 'efficiency'), curve(kind, 'weak', 'efficiency', [2, 3])])
    .filter(some),
  () => 1,
);
drawBars(
  'split',
  results.filter(({ split }) => split !== undefined),
  Object.entries(PARTS).map(([name, color]) => ({ name, color, value: ({ split }) => split[name] })),
);
drawBars(
  'bytes',
  results.filter(({ spread }) => spread !== 'ddp'),
  [{ name: 'KiB', color: COLORS.remote, value: ({ payloadBytesPerStep }) => payloadBytesPerStep / 1024 }],
);

const toTarget = results.filter(({ secondsToTarget }) => secondsToTarget !== undefined);
if (toTarget.length > 0)
  drawBars('target', toTarget, [
    { name: 'seconds', color: COLORS.workers, value: ({ secondsToTarget }) => secondsToTarget },
  ]);
else document.getElementById('target').textContent = 'Not measured; --target METRIC=VALUE measures it.';

const columns = [
  ['point', labelOf],
  ['global batch', ({ batch }) => batch],
  ['backend', ({ backend }) => backend],
  ['µs per step', ({ usPerStep }) => usPerStep.toFixed(1)],
  ['fastest', ({ fastestUsPerStep }) => fastestUsPerStep.toFixed(1)],
  ['noise', ({ noise }) => `${(100 * noise).toFixed(0)}%`],
  ['speed-up', ({ speedUp }) => speedUp?.toFixed(2) ?? ''],
  ['efficiency', ({ efficiency }) => efficiency?.toFixed(2) ?? ''],
  ['s to target', ({ secondsToTarget }) => secondsToTarget?.toFixed(2) ?? ''],
  ['weights', ({ weightsSha256 }) => weightsSha256?.slice(0, 12) ?? ''],
];
// A keyboard must be able to scroll it.
document.getElementById('scroll').tabIndex = 0;
const table = document.getElementById('results');
const head = table.createTHead().insertRow();
for (const [heading] of columns) head.appendChild(document.createElement('th')).textContent = heading;
const body = table.createTBody();
for (const result of results) {
  const row = body.insertRow();
  for (const [, text] of columns) row.insertCell().textContent = String(text(result));
}
