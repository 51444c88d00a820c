/** The page's own font for the map's labels, which are drawn on a canvas that knows no CSS. */

import type { FontFacesSpecification } from "maplibre-gl";

export const FONT = "Noto Sans SC Variable";

/**
 * The slices that the page's style sheets declare for `FONT`, as MapLibre's `font-faces` wants them:
 * it fetches a slice when a label first needs one of its characters, and waits for it.
 */
export function declaredFaces(sheets: Iterable<CSSStyleSheet> = document.styleSheets): FontFacesSpecification {
  const faces = [];
  for (const sheet of sheets) {
    for (const rule of rulesOf(sheet)) {
      if (!(rule instanceof CSSFontFaceRule) || !family(rule).includes(FONT)) continue;
      const source = /url\("?([^")]+)"?\)/.exec(rule.style.getPropertyValue("src"))?.[1];
      if (source === undefined) continue;
      const range = rule.style.getPropertyValue("unicode-range").split(",").map((part) => part.trim());
      faces.push({ url: new URL(source, sheet.href ?? location.href).href, "unicode-range": range });
    }
  }
  return { [FONT]: faces };
}

/** Once what is drawn by hand, the markers' figures, can be drawn in it; also when it cannot be had. */
export async function fontLoaded(): Promise<void> {
  await document.fonts.load(`700 13px "${FONT}"`, "0123456789").catch(() => undefined);
}

function family(rule: CSSFontFaceRule): string {
  return rule.style.getPropertyValue("font-family");
}

/** None of a sheet of another origin, which may not be read. */
function rulesOf(sheet: CSSStyleSheet): Iterable<CSSRule> {
  try {
    return sheet.cssRules;
  } catch {
    return [];
  }
}
