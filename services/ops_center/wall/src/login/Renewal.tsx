import { useState } from "preact/hooks";

import { inWords } from "./wording";
import { changePassword, logOut } from "./session";
import { t } from "./texts";

const SHORTEST = 10;

/** Whoever was let in by a password that somebody else gave chooses an own one. */
export function Renewal() {
  const [current, setCurrent] = useState("");
  const [wanted, setWanted] = useState("");
  const [again, setAgain] = useState("");
  const [busy, setBusy] = useState(false);
  const [failure, setFailure] = useState("");

  const submit = async (event: Event): Promise<void> => {
    event.preventDefault();
    const fault = wanted.length < SHORTEST ? t("too_short") : wanted !== again ? t("differ") : "";
    setFailure(fault);
    if (fault !== "") return;
    setBusy(true);
    try {
      await changePassword(current, wanted);
    } catch (error) {
      setFailure(inWords(error));
      setBusy(false);
    }
  };
  return (
    <form data-testid="renewal-form" onSubmit={(event) => void submit(event)}>
      <p class="login-note">{t("renew")}</p>
      <Password id="renewal-current" label={t("given_password")} value={current} set={setCurrent} kind="current-password" first />
      <Password id="renewal-new" label={t("new_password")} value={wanted} set={setWanted} kind="new-password" />
      <Password id="renewal-again" label={t("again")} value={again} set={setAgain} kind="new-password" />
      {failure !== "" && <p class="login-failure" role="alert">{failure}</p>}
      <button type="submit" class="login-enter" data-testid="renewal-save" disabled={busy}>{t("change")}</button>
      <button type="button" class="login-language" onClick={() => void logOut()}>{t("leave")}</button>
    </form>
  );
}

function Password({ id, label, value, set, kind, first }: {
  id: string; label: string; value: string; set: (text: string) => void; kind: string; first?: boolean;
}) {
  return (
    <>
      <label for={id}>{label}</label>
      <input id={id} data-testid={id} type="password" required maxLength={256} autocomplete={kind} autofocus={first}
        value={value} onInput={(event) => set(event.currentTarget.value)} />
    </>
  );
}
