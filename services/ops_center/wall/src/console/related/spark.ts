/** A small line through values, as an SVG path. Pure. */

export const WIDTH = 120, HEIGHT = 28;
const EDGE = 2;

/** "" where there is nothing to draw; a gap where nothing was read; what is constant lies in the middle. */
export function spark(values: readonly (number | null)[]): string {
  const known = values.filter((one): one is number => one !== null);
  if (known.length === 0) return "";
  const low = Math.min(...known), high = Math.max(...known);
  const x = (step: number): string => (step / Math.max(1, values.length - 1) * WIDTH).toFixed(1);
  const y = (value: number): string => {
    const share = high > low ? value / (high - low) - low / (high - low) : 0.5;
    return (HEIGHT - EDGE - share * (HEIGHT - 2 * EDGE)).toFixed(1);
  };
  let pen = "M", path = "";
  values.forEach((value, step) => {
    if (value !== null) path += `${pen}${x(step)} ${y(value)}`;
    pen = value === null ? "M" : "L";
  });
  return path;
}
