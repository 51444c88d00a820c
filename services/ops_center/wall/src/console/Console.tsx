import { useEffect } from "preact/hooks";

import { clock, span } from "../wall/format";
import { Audit } from "./setup/Audit";
import { person } from "../login/session";
import { mayAct } from "./commands";
import type { Desk } from "./desk";
import { Datasets } from "./Datasets";
import { Duty } from "./duty/Duty";
import { Performance } from "./duty/Performance";
import { Help } from "./Help";
import { Incidents } from "./Incidents";
import { Grants } from "./setup/Grants";
import { Keys } from "./setup/Keys";
import { Neighbours } from "./setup/Neighbours";
import { enterPage, listen } from "./keys";
import { Push } from "./Push";
import { Quarantine } from "./Quarantine";
import { route, show } from "./route";
import { Rules } from "./Rules";
import { Sensors } from "./Sensors";
import { t } from "./strings";
import { Tasks } from "./tasks/Tasks";
import { TopBar } from "./TopBar";
import { Users } from "./setup/Users";
import { VitalSigns } from "./vitals/VitalSigns";
import { MergeDialog } from "./work/MergeDialog";
import { ReportDialog } from "./work/ReportDialog";
import { SilenceDialog } from "./work/SilenceDialog";
import { Silences } from "./work/Silences";
import { awaitGesture } from "./work/sound";

/** The whole page of someone who is in. */
export function Console({ desk }: { desk: Desk }) {
  useEffect(() => listen(desk), [desk]);
  useEffect(awaitGesture, []);
  useEffect(goHome, []);
  const waiting = desk.open.value.filter((incident) => incident.state === "open").length;
  useEffect(() => {
    document.title = `${waiting > 0 ? `(${waiting}) ` : ""}${t("product")} · ${t("page")}`;
  }, [waiting, t("page")]);
  return (
    <>
      <button type="button" class="skip" onClick={enterPage}>{t("skip")}</button>
      <TopBar desk={desk} />
      <Banner desk={desk} />
      <main class="page" tabIndex={-1}><Shown desk={desk} /></main>
      <Said desk={desk} />
      <Opened desk={desk} />
    </>
  );
}

/** Whoever works for a department and has no incidents of his own to judge, or a phone, has tasks. */
function goHome(): void {
  const { department, role } = person.value ?? { role: "" };
  if (location.hash !== "" || !department) return;
  if (!mayAct(role) || matchMedia("(max-width: 720px)").matches) show("tasks");
}

function Shown({ desk }: { desk: Desk }) {
  switch (route.value.page) {
    case "incidents":
      return <Incidents desk={desk} />;
    case "silences":
      return <Silences desk={desk} />;
    case "sensors":
      return <Sensors desk={desk} />;
    case "duty":
      return <Duty desk={desk} />;
    case "performance":
      return <Performance />;
    case "tasks":
      return <Tasks desk={desk} />;
    case "vitals":
      return <VitalSigns desk={desk} />;
    case "catalogue":
      return <Datasets />;
    case "rules":
      return <Rules desk={desk} />;
    case "push":
      return <Push />;
    case "keys":
      return <Keys />;
    case "grants":
      return <Grants />;
    case "neighbours":
      return <Neighbours desk={desk} />;
    case "quarantine":
      return <Quarantine desk={desk} />;
    case "users":
      return <Users />;
    case "audit":
      return <Audit />;
  }
}

/** The dialog that stands over the page. */
function Opened({ desk }: { desk: Desk }) {
  const close = (): void => void (desk.opened.value = null);
  const chosen = desk.incident(desk.selected.value ?? "");
  const ticked = [...desk.marked.value].flatMap((id) => desk.incident(id) ?? []);
  switch (desk.opened.value) {
    case "help":
      return <Help close={close} />;
    case "report":
      return <ReportDialog desk={desk} close={close} />;
    case "silence":
      return chosen ? <SilenceDialog incident={chosen} desk={desk} close={close} /> : null;
    case "merge": {
      const several = ticked.length > 1 ? ticked : chosen ? [chosen] : [];
      return several.length > 0 ? <MergeDialog incidents={several} desk={desk} close={close} /> : null;
    }
    case null:
      return null;
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
