/** The design is drawn for 1920 × 1080; this is how many CSS pixels one design pixel takes. */

import { useEffect, useState } from "preact/hooks";

const WIDTH = 1920;
const HEIGHT = 1080;
const LEAST = 0.5;
const MOST = 4;

export interface Extent {
  unit: number;
  /** CSS pixels of the whole wall. */
  width: number;
  height: number;
}

/**
 * `full` fills the window, whatever its shape; `fit` keeps 16:9 and leaves margins; `scroll` keeps
 * the design's size; a number is `full` with everything so much larger. Pure.
 */
export function extentOf(asked: string | null, width: number, height: number): Extent {
  const unit = Math.min(width / WIDTH, height / HEIGHT);
  if (asked === "fit") return { unit, width: WIDTH * unit, height: HEIGHT * unit };
  if (asked === "scroll") return { unit: 1, width: WIDTH, height: HEIGHT };
  const factor = Number(asked);
  const larger = asked !== null && factor > 0 ? Math.min(MOST, Math.max(LEAST, factor)) : 1;
  return { unit: unit * larger, width, height };
}

function extent(): Extent {
  return extentOf(new URLSearchParams(location.search).get("scale"), innerWidth, innerHeight);
}

export function scale(): number {
  return extent().unit;
}

export function useScale(): number {
  const [now, set] = useState(scale);
  useEffect(() => {
    const measure = (): void => {
      const { unit, width, height } = extent();
      const { style } = document.documentElement;
      style.fontSize = `${16 * unit}px`;
      style.setProperty("--wall-width", `${width}px`);
      style.setProperty("--wall-height", `${height}px`);
      set(unit);
    };
    measure();
    addEventListener("resize", measure);
    return () => removeEventListener("resize", measure);
  }, []);
  return now;
}
