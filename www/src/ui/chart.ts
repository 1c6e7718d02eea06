/** A chart by uPlot in the page's colours, as wide as its place. Its numbers are told in words beside it. */

import uPlot from "uplot";
import "uplot/dist/uPlot.min.css";
import { h } from "./dom";
import { color, onTheme } from "./theme";

export interface Line {
  label: string;
  /** The name of a colour of the page. */
  color: string;
  /** Dots only, without a line between them. */
  dots?: boolean;
}

export interface ChartOptions {
  label: string;
  lines: Line[];
  format(value: number): string;
  logarithmic?: boolean;
}

const HEIGHT_PX = 210;

export class Chart {
  readonly element: HTMLElement;
  #plot: uPlot | undefined;
  #data: uPlot.AlignedData = [[]];
  #place = h("div", { class: "chart-plot", "aria-hidden": "true" });

  constructor(readonly options: ChartOptions) {
    const legend = h(
      "ul",
      { class: "legend" },
      ...options.lines.map(({ label, color }) =>
        h("li", {}, h("span", { class: "swatch", style: `background: var(--${color})`, "aria-hidden": "true" }), label),
      ),
    );
    this.element = h("div", { class: "chart" }, this.#place, legend);
    new ResizeObserver(() => this.#resize()).observe(this.#place);
    onTheme(() => this.#make());
  }

  show(data: uPlot.AlignedData): void {
    this.#data = data;
    if (this.#plot) this.#plot.setData(data);
    else this.#make();
  }

  #resize(): void {
    const width = this.#place.clientWidth;
    if (width === 0) return;
    if (this.#plot) this.#plot.setSize({ width, height: HEIGHT_PX });
    else this.#make();
  }

  #make(): void {
    this.#plot?.destroy();
    this.#plot = undefined;
    const width = this.#place.clientWidth;
    if (width === 0) return;
    this.#plot = new uPlot(this.#settings(width), this.#data, this.#place);
  }

  #settings(width: number): uPlot.Options {
    const axis = {
      stroke: color("ink-soft"),
      grid: { stroke: color("line"), width: 1 },
      ticks: { show: false },
      font: "12px system-ui, sans-serif",
    };
    const { lines, format, logarithmic } = this.options;
    const named = (_: uPlot, ticks: number[]) =>
      ticks.map((value) => (logarithmic && !isPowerOfTen(value) ? null : value));
    return {
      width,
      height: HEIGHT_PX,
      legend: { show: false },
      cursor: { show: false },
      scales: {
        x: { time: false },
        y: logarithmic ? { distr: 3 } : { range: (_, __, max) => [0, Math.max(max, 1) * 1.1] },
      },
      axes: [
        { ...axis, size: 30, values: (_, ticks) => ticks.map((seconds) => `${seconds} s`) },
        {
          ...axis,
          size: 64,
          filter: named,
          grid: { ...axis.grid, filter: named },
          values: (_, ticks) => ticks.map((value) => (value === null ? "" : format(value))),
        },
      ],
      series: [{}, ...lines.map((line) => this.#series(line))],
    };
  }

  #series({ label, color: name, dots }: Line): uPlot.Series {
    const stroke = color(name);
    if (dots) return { label, stroke, paths: () => null, points: { show: true, size: 4, fill: stroke, width: 0 } };
    return { label, stroke, width: 2, points: { show: false } };
  }
}

/** Only these have a line and a name on a logarithmic axis. */
function isPowerOfTen(value: number): boolean {
  return Math.abs(Math.log10(value) - Math.round(Math.log10(value))) < 1e-6;
}
