import uPlot from 'uplot';
import { type ChartContent, sameContent } from './chart-content.js';
import { measureText } from './number-text.js';

const HEIGHT = 240;
/** Names of colours in style.css, which are apart for colour-blind eyes, and dashes that tell curves apart without colour. */
const COLOURS = ['--curve-1', '--curve-2', '--curve-3', '--curve-4'];
const DASHES = [[], [7, 4], [2, 3], [10, 3, 2, 3]];

/** A chart in an element of the page, redrawn when its content, its width or the colours of the page change. */
export class CurveChart {
  private plot: uPlot | undefined;
  private labels = '';
  private content: ChartContent = { x: [], curves: [] };
  private readonly observer: ResizeObserver;

  constructor(private readonly element: HTMLElement) {
    this.observer = new ResizeObserver(() =>
      this.plot?.setSize({ width: element.clientWidth, height: HEIGHT }),
    );
    this.observer.observe(element);
    matchMedia('(prefers-color-scheme: dark)').addEventListener('change', () => this.redraw());
  }

  /** Shows this content. To draw a chart takes milliseconds, in which this machine may compute for the run. */
  show(content: ChartContent): void {
    if (sameContent(content, this.content)) return;
    this.content = content;
    const labels = content.curves.map(({ label }) => label).join('\n');
    if (this.plot === undefined || labels !== this.labels) {
      this.labels = labels;
      return this.redraw();
    }
    this.plot.setData(dataOf(content));
  }

  private redraw(): void {
    this.plot?.destroy();
    if (this.content.curves.length === 0) return;
    const style = getComputedStyle(this.element);
    const colour = (name: string): string => style.getPropertyValue(name).trim();
    const axis = {
      stroke: colour('--quiet'),
      grid: { stroke: colour('--line'), width: 1 },
      ticks: { show: false },
    };
    const series = this.content.curves.map(({ label, isPoints = false }, i): uPlot.Series => {
      const stroke = colour(COLOURS[i % COLOURS.length] as string);
      return {
        label,
        stroke,
        width: 2,
        dash: DASHES[i % DASHES.length] as number[],
        spanGaps: true,
        points: { show: isPoints, size: 7, fill: stroke },
        value: (_, value) => (value === null ? '–' : measureText(value)),
      };
    });
    this.plot = new uPlot(
      {
        width: this.element.clientWidth,
        height: HEIGHT,
        scales: { x: { time: false } },
        axes: [axis, { ...axis, size: 60 }],
        series: [{ label: 'step', value: (_, value) => (value === null ? '–' : String(value)) }, ...series],
        cursor: { drag: { x: true, y: false } },
      },
      dataOf(this.content),
      this.element,
    );
  }
}

function dataOf({ x, curves }: ChartContent): uPlot.AlignedData {
  return [[...x], ...curves.map(({ values }) => [...values])] as uPlot.AlignedData;
}
