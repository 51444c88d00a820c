import { useEffect, useRef } from "preact/hooks";

import { screenToken } from "../api";
import { language, named, setLanguage } from "../i18n";
import { logOut, person, standing } from "../login/session";
import { facts, span } from "../wall/format";
import { theme, toggleTheme } from "../wall/theme";
import { may } from "./commands";
import type { Desk } from "./desk";
import { mapShown, toggleMap } from "./MapPane";
import { departmentName } from "./reference";
import { SETUP, WORK, hashOf, route, type Page } from "./route";
import { known, t } from "./strings";
import { setSound, soundOn, soundReady } from "./work/sound";
import { w } from "./work/texts";

const RULERS_ONLY: readonly Page[] = ["keys", "users", "audit"];

/** Where one is, whether the data is alive, and who one is. */
export function TopBar({ desk }: { desk: Desk }) {
  const setup = SETUP.includes(route.value.page);
  const admin = may(person.value?.role ?? "", "admin");
  const pages = SETUP.filter((page) => admin || !RULERS_ONLY.includes(page));
  return (
    <>
      <header class="top">
        <div class="top-city">
          <span class="mark">{t("product")}</span>
          <span class="city">{named(desk.board.city.value)}</span>
          <h1>{t("page")}</h1>
        </div>
        <nav class="tabs" aria-label={t("main_nav")}>
          {WORK.map((page) => <Tab key={page} page={page} />)}
          <a href={hashOf(setup ? route.value.page : SETUP[0] as Page)} data-testid="tab-setup" aria-current={setup ? "true" : undefined}>{t("nav_setup")}</a>
        </nav>
        <div class="top-right">
          <LinkState desk={desk} />
          <Tools desk={desk} />
          <Who />
        </div>
      </header>
      {setup && (
        <nav class="tabs subtabs" aria-label={t("nav_setup")}>{pages.map((page) => <Tab key={page} page={page} />)}</nav>
      )}
    </>
  );
}

/** On a phone the bar is wider than the screen: where one is must be seen. */
function Tab({ page }: { page: Page }) {
  const link = useRef<HTMLAnchorElement>(null), here = route.value.page === page;
  useEffect(() => void (here && link.current?.scrollIntoView({ block: "nearest", inline: "center" })), [here, language.value]);
  return (
    <a href={hashOf(page)} ref={link} data-testid={`tab-${page}`} aria-current={here ? "page" : undefined}>{t(`nav_${page}`)}</a>
  );
}

function Tools({ desk }: { desk: Desk }) {
  const state = !soundOn.value ? "sound_off" : soundReady.value ? "sound_on" : "sound_wait";
  return (
    <div class="top-tools">
      {route.value.page === "incidents" && (
        <button type="button" aria-pressed={mapShown.value} data-testid="map-toggle" onClick={toggleMap}>{t("map")}</button>
      )}
      <button type="button" aria-pressed={soundOn.value} title={w(state)} data-testid="sound" data-ready={soundReady.value}
        onClick={() => setSound(!soundOn.value)}>{w("sound")}</button>
      <a href={`/${location.search}`} target="_blank" rel="noopener">{t("wall")}</a>
      <button type="button" onClick={toggleTheme}>{t(theme.value === "dark" ? "to_light" : "to_dark")}</button>
      <button type="button" title={t("language_title")} data-testid="language"
        onClick={() => setLanguage(language.value === "zh" ? "en" : "zh")}>{t("language")}</button>
      <button type="button" class="help-button" aria-haspopup="dialog" aria-label={t("help")} title={t("help")} data-testid="help"
        onClick={() => (desk.opened.value = "help")}>?</button>
    </div>
  );
}

function LinkState({ desk }: { desk: Desk }) {
  const { link, adrift, beat, newestAt } = desk.board;
  const bad = adrift.value || link.value === "lost" || link.value === "refused";
  const age = Number.isNaN(newestAt.value)
    ? t("no_data") : t("data_age", { span: span(beat.value - newestAt.value) });
  return (
    <div class={`link ${bad ? "bad" : ""}`} data-testid="link" data-link={link.value}>
      <b><i />{bad && link.value === "live" ? t("lost") : known(link.value)}</b>
      <span>{age}</span>
    </div>
  );
}

function Who() {
  const who = person.value;
  if (who === null) return null;
  return (
    <div class="who">
      <span data-testid="who">{facts(who.username, t(`role_${who.role}`), who.department && departmentName(who.department))}</span>
      {screenToken() === null
        ? <button type="button" data-testid="log-out" onClick={() => void leave()}>{t("log_out")}</button>
        : <a href="/console">{t("log_in")}</a>}
    </div>
  );
}

/** The page is loaded anew, so that nothing of this person's stays in memory. */
async function leave(): Promise<void> {
  try {
    await logOut();
  } catch {
    standing.value = "out"; // The server keeps an unused session no longer than 12 hours.
  }
  location.reload();
}
