/* Draws curves in the colours of design.css, on light and dark ground alike. Defines `design` for the scripts that follow. */

/** Apart for colour-blind eyes; after these, and without colour, dashes tell curves apart. */
const CURVE_COLOURS = ['--curve-1', '--curve-2', '--curve-3', '--curve-4'];
const CURVE_DASHES = [[], [7, 4], [2, 3], [10, 3, 2, 3]];

/** A colour of design.css as it is now. */
function designColour(name) {
  return getComputedStyle(document.documentElement).getPropertyValue(name).trim();
}

/** Axes of a chart in the colours of the page. */
function designAxis(options = {}) {
  const line = designColour('--line');
  return {
    stroke: designColour('--quiet'),
    grid: { stroke: line, width: 1 },
    ticks: { stroke: line, width: 1 },
    ...options,
  };
}

/** The look of a curve, by its number. */
function designCurve(i) {
  const round = Math.floor(i / CURVE_COLOURS.length);
  return {
    stroke: designColour(CURVE_COLOURS[i % CURVE_COLOURS.length]),
    dash: CURVE_DASHES[(i + round) % CURVE_DASHES.length],
    width: 2,
  };
}

/** Calls `draw` with the width of an element, now and whenever the width or the colours of the page change. */
function keepDrawn(element, draw) {
  let plot;
  let width = 0;
  const redraw = () => {
    plot?.destroy();
    width = element.clientWidth;
    plot = draw(width);
  };
  redraw();
  new ResizeObserver(() => element.clientWidth !== width && redraw()).observe(element);
  matchMedia('(prefers-color-scheme: dark)').addEventListener('change', redraw);
}

/** Short text of a number. */
function numberText(value) {
  if (value == null) return '–';
  if (value !== 0 && (Math.abs(value) < 1e-3 || Math.abs(value) >= 1e7))
    return value.toExponential(2).replace(/\.?0*e/, 'e');
  return String(Number(value.toPrecision(5)));
}

globalThis.design = {
  colour: designColour,
  axis: designAxis,
  curve: designCurve,
  keepDrawn,
  numberText,
};
