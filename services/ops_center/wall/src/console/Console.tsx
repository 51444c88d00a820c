import { useEffect } from "preact/hooks";

import { useSignal } from "@preact/signals";

import { clock, span } from "../wall/format";
import type { Desk } from "./desk";
import { Help } from "./Help";
import { Incidents } from "./Incidents";
import { listen } from "./keys";
import { Push } from "./Push";
import { Quarantine } from "./Quarantine";
import { route } from "./route";
import { Rules } from "./Rules";
import { Sensors } from "./Sensors";
import { t } from "./strings";
import { TopBar } from "./TopBar";

/** The whole page of someone who is in. */
export function Console({ desk }: { desk: Desk }) {
  const help = useSignal(false);
  useEffect(() => listen(desk, help), [desk]);
  const waiting = desk.open.value.filter((incident) => incident.state === "open").length;
  useEffect(() => {
    document.title = `${waiting > 0 ? `(${waiting}) ` : ""}${t("product")} · ${t("page")}`;
  }, [waiting, t("page")]);
  return (
    <>
      <TopBar desk={desk} help={help} />
      <Banner desk={desk} />
      <main class="page"><Shown desk={desk} /></main>
      <Said desk={desk} />
      {help.value && <Help close={() => (help.value = false)} />}
    </>
  );
}

function Shown({ desk }: { desk: Desk }) {
  switch (route.value.page) {
    case "incidents":
      return <Incidents desk={desk} />;
    case "sensors":
      return <Sensors desk={desk} />;
    case "rules":
      return <Rules desk={desk} />;
    case "push":
      return <Push />;
    case "quarantine":
      return <Quarantine desk={desk} />;
  }
}

function Banner({ desk }: { desk: Desk }) {
  const { adrift, newestAt, beat } = desk.board;
  if (!adrift.value) return null;
  const at = newestAt.value;
  return (
    <div class="banner" role="alert" data-testid="lost">
      {t("lost_banner", { at: clock(at), span: span(beat.value - at) })}
    </div>
  );
}

/** For those who hear the page: what has just been done. */
function Said({ desk }: { desk: Desk }) {
  const said = desk.said.value;
  const text = said && t("done", { title: said.title, what: t(said.command) });
  return <p class="unseen" role="status">{text}</p>;
}
