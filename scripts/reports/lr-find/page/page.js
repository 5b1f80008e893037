/* Draws the curve of a range test. Earlier scripts define uPlot and REPORT. */
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
      plot.ctx.strokeStyle = '#1a9850';
      plot.ctx.setLineDash([6, 4]);
      plot.ctx.beginPath();
      plot.ctx.moveTo(x, top);
      plot.ctx.lineTo(x, top + height);
      plot.ctx.stroke();
      plot.ctx.restore();
    },
  },
};
const options = {
  width: Math.min(900, document.body.clientWidth),
  height: 420,
  scales: { x: { time: false, distr: 3 } },
  axes: [
    { label: 'learning rate', values: (_plot, ticks) => ticks.map((tick) => tick?.toExponential() ?? '') },
    { label: 'loss' },
  ],
  series: [
    { label: 'learning rate' },
    { label: 'loss', stroke: '#9aa3ae', width: 1 },
    { label: 'smoothed', stroke: '#2266cc', width: 3 },
  ],
  plugins: [mark],
};
const column = (name) => points.map((point) => point[name]);
new uPlot(options, [column('rate'), column('loss'), column('smoothed')], document.getElementById('curve'));
