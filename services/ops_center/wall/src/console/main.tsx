import "../theme.css";
import "./shell.css";
import "./parts.css";
import "./pages.css";
import "./dialogs.css";
import "./work/work.css";
import "./setup/setup.css";

import { effect } from "@preact/signals";
import { render } from "preact";
import { useEffect, useRef } from "preact/hooks";

import { Login } from "../login/Login";
import { ask, standing } from "../login/session";
import { Console } from "./Console";
import { Desk } from "./desk";
import { enterPage } from "./keys";
import { followAddress } from "./route";

/** A person whose session ends logs in again over what they were doing; it is not thrown away. */
function Door({ desk }: { desk: Desk }) {
  const inside = standing.value === "in" || standing.value === "expired", asked = useRef(false);
  // The form that had the focus is gone: Tab goes on in the page, not nowhere.
  useEffect(() => {
    if (standing.value === "in" && asked.current) enterPage();
    asked.current = standing.value !== "in" && standing.value !== "asking";
  }, [standing.value]);
  return (
    <>
      {inside && (
        <div class="console" hidden={standing.value !== "in"}><Console desk={desk} /></div>
      )}
      {standing.value !== "in" && <Login />}
    </>
  );
}

const desk = new Desk();
effect(() => {
  if (standing.value === "in") queueMicrotask(() => desk.start());
});
followAddress();
void ask();
render(<Door desk={desk} />, document.getElementById("console") as HTMLElement);
