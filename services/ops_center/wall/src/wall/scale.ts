/** The design is drawn for 1920 × 1080; this is how many CSS pixels one design pixel takes. */

import { useEffect, useState } from "preact/hooks";

export function scale(): number {
  return Math.min(innerWidth / 1920, innerHeight / 1080);
}

export function useScale(): number {
  const [now, set] = useState(scale);
  useEffect(() => {
    const measure = (): void => {
      document.documentElement.style.fontSize = `${16 * scale()}px`;
      set(scale());
    };
    measure();
    addEventListener("resize", measure);
    return () => removeEventListener("resize", measure);
  }, []);
  return now;
}
