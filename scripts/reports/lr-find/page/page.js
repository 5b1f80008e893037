/* Draws the curve of a range test. Earlier scripts define uPlot, design and REPORT. */
const { recipe, batch, suggestedLr, points } = REPORT;
document.getElementById('summary').textContent =
  `${recipe}, batch ${batch}: the loss falls fastest at a learning rate of ${suggestedLr}.`;

/** A vertical line at the suggested rate. */
const mark = {
  hooks: {
    draw: (plot) => {
      const x = plot.valToPos(suggestedLr, 'x', true);
      const { left: _, top, height } = plot.bbox;
      plot.ctx.save();
      plot.ctx.strokeStyle = design.colour('--curve-3');
      plot.ctx.setLineDash([6, 4]);
      plot.ctx.beginPath();
      plot.ctx.moveTo(x, top);
      plot.ctx.lineTo(x, top + height);
      plot.ctx.stroke();
      plot.ctx.restore();
    },
  },
};
const column = (name) => points.map((point) => point[name]);
const place = document.getElementById('curve');
design.keepDrawn(place, (width) => {
  const options = {
    width,
    height: 420,
    scales: { x: { time: false, distr: 3 } },
    axes: [
      design.axis({
        label: 'learning rate',
        values: (_plot, ticks) => ticks.map((tick) => tick?.toExponential() ?? ''),
      }),
      design.axis({ label: 'loss' }),
    ],
    series: [
      { label: 'learning rate' },
      { label: 'loss', stroke: design.colour('--quiet'), width: 1 },
      { label: 'smoothed', stroke: design.colour('--curve-1'), width: 3 },
    ],
    plugins: [mark],
  };
  return new uPlot(options, [column('rate'), column('loss'), column('smoothed')], place);
});
