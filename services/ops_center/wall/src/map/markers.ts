/** Alarm markers: shape and number tell the priority, colour only repeats it. */

import type { Priority } from "../live/protocol";
import { FONT } from "./fonts";
import type { Palette } from "./palette";

export const PRIORITIES: readonly Priority[] = [1, 2, 3, 4];

/** Corners in a box of 24 × 24; shared by the map's images and the page's SVG. */
export const CORNERS: Record<Priority, readonly [number, number][]> = {
  1: [[2.5, 2.5], [21.5, 2.5], [21.5, 21.5], [2.5, 21.5]],
  2: [[12, 1.5], [23, 21.5], [1, 21.5]],
  3: [[1, 2.5], [23, 2.5], [12, 22.5]],
  4: [[12, 0.8], [23.2, 12], [12, 23.2], [0.8, 12]],
};

/** Middle of the number in the same box. */
export const NUMBER_AT: Record<Priority, number> = { 1: 12, 2: 15, 3: 9, 4: 12 };

export function polygonPoints(priority: Priority): string {
  return CORNERS[priority].map((corner) => corner.join(",")).join(" ");
}

/** Pixels of a marker `size` CSS pixels wide at `ratio` device pixels each. */
export function markerImage(
  priority: Priority, colours: Palette, size: number, ratio: number,
): ImageData {
  const canvas = document.createElement("canvas");
  canvas.width = canvas.height = Math.round(size * ratio);
  const pen = canvas.getContext("2d") as CanvasRenderingContext2D;
  const scale = canvas.width / 28;
  pen.scale(scale, scale);
  pen.translate(2, 2);
  pen.beginPath();
  CORNERS[priority].forEach(([x, y], index) => (index === 0 ? pen.moveTo(x, y) : pen.lineTo(x, y)));
  pen.closePath();
  pen.lineJoin = "round";
  pen.lineWidth = 3;
  pen.strokeStyle = colours.ground;
  pen.stroke();
  pen.fillStyle = colours[`p${priority}`];
  pen.fill();
  pen.fillStyle = colours.onAlarm;
  pen.font = `700 13px "${FONT}", sans-serif`;
  pen.textAlign = "center";
  pen.textBaseline = "middle";
  pen.fillText(String(priority), 12, NUMBER_AT[priority] + 0.8);
  return pen.getImageData(0, 0, canvas.width, canvas.height);
}

/** Slanting lines, for where nothing is known; `size` CSS pixels to the next line. */
export function hatchImage(colours: Palette, size: number, ratio: number): ImageData {
  const canvas = document.createElement("canvas");
  const edge = (canvas.width = canvas.height = Math.round(size * ratio));
  const pen = canvas.getContext("2d") as CanvasRenderingContext2D;
  pen.strokeStyle = colours.textFaint;
  pen.globalAlpha = 0.55;
  pen.lineWidth = ratio;
  for (const shift of [-edge, 0, edge]) {
    pen.beginPath();
    pen.moveTo(shift - 1, edge + 1);
    pen.lineTo(shift + edge + 1, -1);
    pen.stroke();
  }
  return pen.getImageData(0, 0, edge, edge);
}
