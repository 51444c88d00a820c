/** Where a page sent someone here from; only addresses of this site count. */

/** `?next=` of the console's address, or null. */
export function nextPage(search: string, origin: string): string | null {
  const asked = new URLSearchParams(search).get("next");
  if (asked === null) return null;
  const target = URL.canParse(asked, origin) ? new URL(asked, origin) : null;
  if (target === null || target.origin !== origin) return null;
  return target.pathname + target.search + target.hash;
}
