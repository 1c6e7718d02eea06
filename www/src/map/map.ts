/** A map of every place as a dot: the more there are in a spot, the brighter. What is sought lies above it. */

import { h } from "../ui/dom";
import { color, onTheme } from "../ui/theme";
import { Points } from "./points";
import { ASPECT, graticule, project } from "./projection";

const FEW = 400;
/** So many places in one pixel have the strongest colour. */
const DENSEST = 24;

export class WorldMap {
  readonly element: HTMLElement;
  points = new Points();
  #matches = new Points();
  #selected: [number, number] | undefined;
  #base = h("canvas", { "aria-hidden": "true" });
  #over = h("canvas", { role: "img" });
  #isStale = { base: true, over: true };
  #frame = 0;

  constructor(label: string) {
    this.element = h("div", { class: "map", style: `aspect-ratio: ${ASPECT.toFixed(4)}` }, this.#base, this.#over);
    this.label(label);
    new ResizeObserver(() => this.#resize()).observe(this.element);
    onTheme(() => this.#repaint("base", "over"));
  }

  label(text: string): void {
    this.#over.setAttribute("aria-label", text);
  }

  show(points: Points): void {
    this.points = points;
    this.#repaint("base");
  }

  /** Points were added to those that are shown. */
  grew(): void {
    this.#repaint("base");
  }

  showMatches(points: Points): void {
    this.#matches = points;
    this.#repaint("over");
  }

  select(latitude?: number, longitude?: number): void {
    this.#selected = latitude === undefined || longitude === undefined ? undefined : project(latitude, longitude);
    this.#repaint("over");
  }

  #resize(): void {
    const { width, height } = this.element.getBoundingClientRect();
    const scale = Math.min(devicePixelRatio, 2);
    for (const canvas of [this.#base, this.#over]) {
      canvas.width = Math.round(width * scale);
      canvas.height = Math.round(height * scale);
    }
    if (this.#base.width > 0) this.#repaint("base", "over");
  }

  #repaint(...layers: ("base" | "over")[]): void {
    for (const layer of layers) this.#isStale[layer] = true;
    this.#frame ||= requestAnimationFrame(() => {
      this.#frame = 0;
      if (this.#base.width === 0 || this.#base.height === 0) return;
      if (this.#isStale.base) paintBase(this.#base, this.points);
      if (this.#isStale.over) paintOver(this.#over, this.#matches, this.#selected);
      this.#isStale = { base: false, over: false };
    });
  }
}

function paintBase(canvas: HTMLCanvasElement, points: Points): void {
  const context = canvas.getContext("2d");
  if (!context) return;
  const { width, height } = canvas;
  const counts = new Uint16Array(width * height);
  for (let i = 0; i < points.length; i++) {
    const pixel = Math.floor(points.ys[i]! * height) * width + Math.floor(points.xs[i]! * width);
    counts[pixel]! += 1;
  }
  const image = context.createImageData(width, height);
  const shades = shadesOf(color("dot"), color("dot-dense"));
  const pixels = new Uint32Array(image.data.buffer);
  for (let pixel = 0; pixel < counts.length; pixel++) {
    const count = counts[pixel]!;
    if (count > 0) pixels[pixel] = shades[Math.min(count, shades.length - 1)]!;
  }
  context.putImageData(image, 0, 0);
  context.globalCompositeOperation = "destination-over";
  paintGraticule(context, width, height);
  context.globalCompositeOperation = "source-over";
}

/** Pixels for 0, 1, 2 and more places: from the faint colour to the dense one, by the logarithm. */
function shadesOf(faint: string, dense: string): Uint32Array {
  const [from, to] = [channels(faint), channels(dense)];
  return Uint32Array.from({ length: DENSEST + 1 }, (_, count) => {
    const part = Math.log(Math.max(1, count)) / Math.log(DENSEST);
    const [red, green, blue, alpha] = from.map((channel, i) => Math.round(channel + (to[i]! - channel) * part)) as [
      number,
      number,
      number,
      number,
    ];
    return ((alpha << 24) | (blue << 16) | (green << 8) | red) >>> 0;
  });
}

/** `#rrggbbaa` as four numbers. */
function channels(hex: string): number[] {
  return [1, 3, 5, 7].map((at) => parseInt(hex.slice(at, at + 2) || "ff", 16));
}

function paintGraticule(context: CanvasRenderingContext2D, width: number, height: number): void {
  context.strokeStyle = color("graticule");
  context.lineWidth = Math.max(1, width / 1200);
  context.beginPath();
  for (const line of graticule())
    line.forEach(([x, y], i) => context[i === 0 ? "moveTo" : "lineTo"](x * width, y * height));
  context.stroke();
}

function paintOver(canvas: HTMLCanvasElement, matches: Points, selected: [number, number] | undefined): void {
  const context = canvas.getContext("2d");
  if (!context) return;
  const { width, height } = canvas;
  const scale = width / canvas.clientWidth;
  context.clearRect(0, 0, width, height);
  context.fillStyle = color("match");
  const size = (matches.length > FEW ? 1.6 : 3.2) * scale;
  for (let i = 0; i < matches.length; i++) dot(context, matches.xs[i]! * width, matches.ys[i]! * height, size);
  if (selected) ring(context, selected[0] * width, selected[1] * height, scale);
}

function dot(context: CanvasRenderingContext2D, x: number, y: number, size: number): void {
  if (size < 3) return context.fillRect(x - size / 2, y - size / 2, size, size);
  context.beginPath();
  context.arc(x, y, size / 2, 0, 2 * Math.PI);
  context.fill();
}

function ring(context: CanvasRenderingContext2D, x: number, y: number, scale: number): void {
  context.strokeStyle = color("match");
  context.lineWidth = 2 * scale;
  context.beginPath();
  context.arc(x, y, 9 * scale, 0, 2 * Math.PI);
  context.stroke();
  dot(context, x, y, 5 * scale);
}
