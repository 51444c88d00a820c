import "../theme.css";
import "./public.css";
import "./catalogue.css";

import { signal } from "@preact/signals";
import { render } from "preact";
import { useEffect } from "preact/hooks";

import { language, setLanguage } from "../i18n";
import { Catalogue } from "./Catalogue";
import { c } from "./texts";

const chosen = signal<string | null>(inAddress());

function inAddress(): string | null {
  try {
    return decodeURIComponent(location.hash.slice(1)) || null;
  } catch {
    return null;
  }
}

/** For everybody, without logging in. */
function Page() {
  useEffect(() => {
    document.title = `${c("product")} · ${c("open_data")}`;
  }, [language.value]);
  return (
    <>
      <header class="public-top">
        <div>
          <h1>{c("open_data")}</h1>
          <p>{c("open_more")}</p>
        </div>
        <nav>
          <button type="button" title={c("language_title")} data-testid="language"
            onClick={() => setLanguage(language.value === "zh" ? "en" : "zh")}>{c("language")}</button>
          <a href="/console">{c("console")}</a>
        </nav>
      </header>
      <main class="public-page">
        <Catalogue chosen={chosen.value} href={(one) => `#${one === null ? "" : encodeURIComponent(one)}`} />
      </main>
    </>
  );
}

addEventListener("hashchange", () => (chosen.value = inAddress()));
render(<Page />, document.getElementById("data") as HTMLElement);
