import { useEffect, useRef } from "preact/hooks";
import uPlot from "uplot";
import "uplot/dist/uPlot.min.css";

import { palette } from "../map/palette";
import { extent } from "./extent";
import type { Band } from "./forecast";
import { minute } from "./format";
import { theme } from "./theme";
import { drawable } from "./trends";

export interface ChartData {
  /** Epoch ms. */
  at: readonly number[];
  value: readonly number[];
  range: [number, number];
  /** Longest time between two readings, in ms, over which the line goes on; default: any. */
  longest?: number;
  normal: [number | null, number | null];
  threshold?: number | null;
  /** What is expected of the next hours. */
  band?: Band | null;
}

/** One quiet line over its normal range. Redrawn whenever `stamp` changes. */
export function Chart({ data, stamp, scale }: { data: ChartData; stamp: number | string; scale: number }) {
  const box = useRef<HTMLDivElement>(null);
  const plot = useRef<uPlot | null>(null);
  const held = useRef(data);
  held.current = data;

  useEffect(() => {
    const element = box.current as HTMLDivElement;
    const made = new uPlot(options(element, held, scale), [[], []], element);
    plot.current = made;
    const watch = new ResizeObserver(() =>
      made.setSize({ width: element.clientWidth, height: element.clientHeight }));
    watch.observe(element);
    return () => {
      watch.disconnect();
      made.destroy();
    };
  }, [theme.value, scale]);

  useEffect(() => {
    const { at, value, range, longest, band } = held.current;
    const line = drawable(at, value, longest ?? Infinity);
    plot.current?.setData(uPlot.join([line, band ?? NO_BAND]), false);
    plot.current?.setScale("x", { min: range[0] / 1000, max: range[1] / 1000 });
  }, [stamp, theme.value, scale]);

  return <div class="chart" ref={box} />;
}

const NO_BAND: Band = [[], [], [], []];

type Held = { current: ChartData };

function options(element: HTMLElement, held: Held, scale: number): uPlot.Options {
  const colours = palette();
  const font = `${13.6 * scale}px ${getComputedStyle(element).fontFamily}`;
  const axis = { stroke: colours.textFaint, font, ticks: { show: false }, gap: 3 * scale };
  return {
    width: element.clientWidth, height: element.clientHeight,
    padding: [6 * scale, 8 * scale, 0, 0],
    legend: { show: false }, cursor: { show: false }, select: { show: false, left: 0, top: 0, width: 0, height: 0 },
    scales: { x: { time: true }, y: { range: (_plot, low, high) => extent(low, high, held.current) } },
    axes: [
      { ...axis, size: 20 * scale, grid: { show: false }, space: 46 * scale,
        values: (plot, marks) => marks.map((mark) => whole(plot, mark) ? minute(mark * 1000) : null) },
      { ...axis, size: 44 * scale, space: 26 * scale, grid: { stroke: colours.line, width: 1 } },
    ],
    series: [
      {}, { stroke: colours.textSoft, width: 1.5 * scale, points: { show: false } },
      { stroke: colours.p4, width: 1.5 * scale, dash: [5 * scale, 4 * scale], points: { show: false } },
      { points: { show: false } }, { points: { show: false } },
    ],
    bands: [{ series: [4, 3], fill: `${colours.p4}2e` }],
    hooks: {
      drawClear: [(plot) => underlay(plot, held.current, colours.range)],
      drawAxes: [(plot) => limitLine(plot, held.current.threshold, colours.p2)],
      draw: [(plot) => dot(plot, colours.text, scale)],
    },
  };
}

/** Whether a time is far enough from the right edge to be written out. */
function whole({ scales }: uPlot, mark: number): boolean {
  const { min, max } = scales["x"] as uPlot.Scale;
  return typeof min !== "number" || typeof max !== "number" || max - mark > 0.08 * (max - min);
}

/** The value's height in canvas pixels, kept inside the plot. */
function heightOf({ bbox, valToPos }: uPlot, value: number): number {
  return Math.min(bbox.top + bbox.height, Math.max(bbox.top, valToPos(value, "y", true)));
}

function underlay(plot: uPlot, { normal: [low, high] }: ChartData, colour: string): void {
  if (high === null) return;
  const { ctx, bbox } = plot;
  const top = heightOf(plot, high);
  const bottom = low === null ? bbox.top + bbox.height : heightOf(plot, low);
  ctx.save();
  ctx.globalAlpha = 0.34;
  ctx.fillStyle = colour;
  ctx.fillRect(bbox.left, top, bbox.width, bottom - top);
  ctx.restore();
}

/** The limit that was broken, above the grid. */
function limitLine(plot: uPlot, threshold: number | null | undefined, colour: string): void {
  if (typeof threshold !== "number") return;
  const { ctx, bbox } = plot;
  const y = heightOf(plot, threshold);
  ctx.save();
  ctx.strokeStyle = colour;
  ctx.lineWidth = devicePixelRatio;
  ctx.setLineDash([6, 5]);
  ctx.beginPath();
  ctx.moveTo(bbox.left, y);
  ctx.lineTo(bbox.left + bbox.width, y);
  ctx.stroke();
  ctx.restore();
}

/** The newest value as a dot. */
function dot(plot: uPlot, colour: string, scale: number): void {
  const [at, value] = plot.data;
  const last = value?.findLastIndex((one) => typeof one === "number") ?? -1;
  if (last < 0) return;
  const { ctx } = plot;
  ctx.beginPath();
  ctx.fillStyle = colour;
  ctx.arc(plot.valToPos(at[last] as number, "x", true), plot.valToPos(value?.[last] as number, "y", true),
    2.6 * scale * devicePixelRatio, 0, 2 * Math.PI);
  ctx.fill();
}
