/** Loading the page anew, but only when there is a server to load it from: never a blank wall. */

const ASK_AGAIN_MS = 5000;

export async function reloadWhenServed(delayMs: number): Promise<void> {
  await new Promise((done) => setTimeout(done, delayMs));
  for (;;) {
    const served = await fetch(location.href, { cache: "no-store" })
      .then((response) => response.status < 500, () => false);
    if (served) return location.reload();
    await new Promise((done) => setTimeout(done, ASK_AGAIN_MS));
  }
}

/** Whether the server has pages of another build than this one; false when it cannot say. */
export async function newerBuild(): Promise<boolean> {
  const own = document.querySelector<HTMLScriptElement>("script[type=module][src]")?.getAttribute("src");
  const page = await fetch(location.href, { cache: "no-store" })
    .then((response) => (response.ok ? response.text() : null), () => null);
  return own != null && page !== null && !page.includes(own);
}
